/* Where AWS's services are, and by which names they are signed: botocore's rules for the services
 * that we use, in every partition. Pure. */
#pragma once

#include "courier/aws.h"

enum { ENDPOINT_HOST_CAP = 256, ENDPOINT_PATH_CAP = 256 };

struct endpoint {
    bool tls;
    char
        host[ENDPOINT_HOST_CAP]; /* as in the Host header: with ":port" where it is not the usual */
    char path[ENDPOINT_PATH_CAP]; /* "/", or what an endpoint of one's own has */
    char region[AWS_REGION_CAP];  /* to sign for */
    const char *signing;          /* to sign for: "sso" */
};

struct endpoint_wish {
    const char *region;
    bool fips, dual_stack;
    const char *url; /* an endpoint of one's own, or NULL; fips and dual_stack then do not matter */
};

/* "aws", "aws-cn", ...: by the region's name. */
const char *endpoint_partition(const char *region);

/* A region by its form, which makes it fit for a host's name: "eu-west-1". */
bool endpoint_is_region(const char *s);

/* False, and why in `why`: what is wrong with the URL or the region, or that there is none such. */
bool endpoint_find(enum aws_service service, const struct endpoint_wish *wish, struct endpoint *ret,
                   char why[AWS_TEXT_CAP]);

struct service_wire {
    const char *name;     /* "sso-admin" */
    const char *variable; /* after AWS_ENDPOINT_URL_: "SSO_ADMIN"; in lower case in files */
    const char *host;     /* "sso" in sso.REGION.amazonaws.com */
    const char *signing;  /* "sso" */
    const char *target;   /* X-Amz-Target before the dot; NULL: the query protocol */
    const char *version;  /* of the query protocol */
};

/* NULL: there is no such service. */
const struct service_wire *service_wire(enum aws_service service);
