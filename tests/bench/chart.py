# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows that compare us with somebody, as a picture: how many times better we are, on a logarithmic
axis, and where the goal is. Plain SVG, readable on light and dark pages."""

import math
from html import escape

from .report import number

WIDTH, LEFT, RIGHT, TOP, ROW, BOTTOM = 900, 350, 150, 46, 26, 30
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.small { font-size: 11px; fill: #59636e; } .end { text-anchor: end; } .middle { text-anchor: middle; }
.axis { stroke: #d1d9e0; } .one { stroke: #59636e; } .goal { stroke: #1f2328; stroke-width: 2; }
.met { fill: #1a7f37; } .missed { fill: #cf222e; } .free { fill: #0969da; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; } .small { fill: #9198a1; }
.axis { stroke: #3d444d; } .one { stroke: #9198a1; } .goal { stroke: #f0f6fc; }
.met { fill: #3fb950; } .missed { fill: #f85149; } .free { fill: #4493f8; } }
"""


def gain(row, ratio):
    """So many times better: to the right of 1, whatever is counted."""
    return 1 / ratio if row.better == "less" else ratio


class Scale:
    """Whole powers of ten around everything that is shown."""

    def __init__(self, gains):
        logs = [math.log10(value) for value in gains] + [0]
        # A ratio near 1 still needs room to be seen on either side.
        self.low, self.high = math.floor(min(logs) - 0.1), math.ceil(max(logs) + 0.1)

    def x(self, value):
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def ticks(self):
        return [10.0 ** power for power in range(self.low, self.high + 1)]


def text(x, y, what, kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(what)}</text>'


def line(x, top, bottom, kind):
    return f'<line x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom:.1f}" class="{kind}"/>'


def bar(result, scale, y):
    row, value = result.row, gain(result.row, result.ratio)
    kind = {True: "met", False: "missed", None: "free"}[result.met]
    left, right = sorted((scale.x(1), scale.x(value)))
    yield text(LEFT - 10, y + 14, row.name, "end")
    yield (f'<rect x="{left:.1f}" y="{y + 4:.1f}" width="{max(right - left, 1):.1f}" height="{ROW - 12}" '
           f'class="{kind}"><title>{escape(caption(result))}</title></rect>')
    if row.goal:
        yield line(scale.x(gain(row, row.goal.number)), y, y + ROW - 4, "goal")
    yield text(WIDTH - RIGHT + 10, y + 14, f"{number(value)} x {result.peer.name}", "small")


def caption(result):
    return (f"{result.row.name}: {number(result.ours.median)} {result.row.unit}, "
            f"{result.peer.name}: {number(result.peer.median)} {result.row.unit}")


def draw(results, where):
    """The text of the picture. Without a row that can be compared there is only a frame."""
    shown = [result for result in results if result.row.drawn and result.ratio and result.ratio > 0]
    gains = [gain(result.row, number) for result in shown
             for number in (result.ratio, result.row.goal and result.row.goal.number) if number]
    scale, height = Scale(gains), TOP + ROW * len(shown) + BOTTOM
    parts = [text(LEFT, 18, "times better than whom it is compared with; a line is the goal")]
    for tick in scale.ticks():
        parts.append(line(scale.x(tick), TOP - 6, height - BOTTOM, "one" if tick == 1 else "axis"))
        parts.append(text(scale.x(tick), TOP - 10, f"{tick:g}", "small middle"))
    for place, result in enumerate(shown):
        parts += bar(result, scale, TOP + ROW * place)
    parts.append(text(10, height - 10, f"{where['version']}, Docker {where['docker']}, Linux "
                      f"{where['kernel']}, {where['processors']} x {where['processor']}, "
                       f"{where['date'][:10]}",
                      "small"))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            f'aria-label="tailexit compared">\n<style>{STYLE}</style>\n' + "\n".join(parts) + "\n</svg>\n")
