/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of survey.h that is in nftables. */
#pragma once

#include "survey.h"

/* Adds to what is there. */
int survey_read_nft(struct nl *nl, struct survey *survey, struct err *err);
