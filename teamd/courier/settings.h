/* What is to be known before AWS can be called, put together from team.conf, environment and files
 * in the SDKs' order. Reads files, opens no connection. */
#pragma once

#include "courier/endpoint.h"
#include "courier/files.h"

enum { SETTINGS_URL_CAP = 512, SETTINGS_ATTEMPTS = 5, SETTINGS_ATTEMPTS_MAX = 100 };

struct settings {
    char region[AWS_REGION_CAP], identity_center_region[AWS_REGION_CAP];
    char url[AWS_SERVICES][SETTINGS_URL_CAP]; /* endpoints of one's own; "" for AWS's */
    char ca_bundle[FILES_PATH_CAP];           /* "" for the system's */
    char proxy[SETTINGS_URL_CAP], no_proxy[SETTINGS_URL_CAP]; /* for https; "" for none */
    bool fips, dual_stack;
    uint32_t attempts;
};

/* 0, or -EINVAL and why. */
int settings_read(const struct aws_setup *setup, const struct files *files, struct settings *ret,
                  char why[AWS_TEXT_CAP]);

/* The endpoint of a service in its own region, or in `region` if that is not NULL. */
bool settings_endpoint(const struct settings *s, enum aws_service service, const char *region,
                       struct endpoint *ret, char why[AWS_TEXT_CAP]);
