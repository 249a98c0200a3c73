/* An organisation, its people and a policy, for the tests of AWS in the core; needs script.h. */
#pragma once

#define ORG                                                              \
    "aws on\naws org 999900001111 999900001111\n"                        \
    "aws unit r-ab12 Root\naws unit ou-ab12-11111111 Work r-ab12\n"      \
    "aws unit ou-ab12-22222222 Prod ou-ab12-11111111\n"                  \
    "aws account 111122223333 prod ou-ab12-22222222\n"                   \
    "aws account 222222223333 dev ou-ab12-11111111\n"                    \
    "aws account 333322223333 twin -\naws account 444422223333 twin -\n" \
    "aws account 555522223333 closed ou-ab12-22222222 suspended\n"       \
    "aws account 999900001111 main r-ab12\n"                             \
    "aws set Admin 1h\naws set Read 12h\naws set Billing 1h managed\n"
#define USERS "aws user alice\naws user bob\naws user carol\naws user dave\n"
#define RULES "rule leads bob,carol host:*/*,aws:*/*\nset comment no\n"
#define MAY   "may sre @sre host:*/*,aws:*/* 4h free\n"
#define PLAIN MAY RULES ORG USERS
#define ADMIN "aws:111122223333/Admin"
#define READ  "aws:111122223333/Read"
#define DEV   "aws:222222223333/Admin"
