/* Inside of work only: what work.c, sync.c and inventory.c know of each other. */
#pragma once

#include "courier/work.h"

enum { JOB_HEADS = 1024 };

/* A permission set as it was last described: that costs a call each. */
struct known_set {
    char arn[AWS_SET_ARN_CAP], name[AWS_SET_NAME_CAP];
    int64_t session_s;
    uint64_t described_us; /* CLOCK_BOOTTIME */
};

/* Pieces of the directory on their way. */
struct sync {
    uint64_t number, round; /* number 0: none is under way */
    struct directory_sync *reading;
    bool failed;
    struct wire_out out;
    char packet[TEAM_PACKET_MAX];
    /* The numbers of users, by a hash of their ids. */
    struct {
        char id[AWS_PRINCIPAL_CAP];
        uint32_t number;
    } * users;
    uint32_t n_users, cap_users;
    char group[AWS_PRINCIPAL_CAP]; /* whose members come now */
    char members[50001];
    size_t members_len;
};

/* Who has been assigned what. */
struct inventory {
    uint64_t number, round;
    struct directory_sync *listing; /* the sets, if they are not known */
    struct provisioned_op *asking;  /* on which accounts is this set? */
    size_t at_set;
    size_t n_listing; /* lists of assignments under way */
    struct assignment_op *ops[8];
    char (*accounts)[AWS_ACCOUNT_CAP]; /* where the set is in use */
    size_t n_accounts, cap_accounts, at_account;
    bool failed;
    struct wire_out out;
    char packet[TEAM_PACKET_MAX];
};

struct work {
    sd_event *loop;
    struct aws_client *aws;
    struct work_policy policy;
    struct link *link;

    struct aws_place place;
    struct aws_place_op *finding;
    sd_event_source *again;
    unsigned again_s;
    char trouble[AWS_FAILURE_CAP]; /* why we do not know who we are; "" if we do */

    struct assignments *assignments; /* NULL until we know where Identity Center is */
    struct job *jobs[JOB_HEADS];
    size_t n_jobs;
    bool starved; /* some job could not be started for want of room */

    struct sync sync;
    struct inventory inventory;
    struct activity_jobs *activity;
    struct known_set *sets;
    size_t n_sets, cap_sets;
};

void find_place(struct work *w);

/* sync.c: the directory */
void sync_start(struct work *w, const struct link_job *job);
void sync_found(struct work *w); /* who we are */
void sync_failed(struct work *w, const char *why);
void sync_stop(struct work *w);
bool sync_knows_set(void *ctx, const char *arn);
struct known_set *sync_learn_set(struct work *w, const struct directory_row *row);
void sync_forget(struct work *w); /* all that is known */

/* inventory.c */
void inventory_start(struct work *w, const struct link_job *job);
void inventory_found(struct work *w);
void inventory_failed(struct work *w, const char *why); /* we do not know who we are */
void inventory_stop(struct work *w);
