/* doctor: AWS, as teamd sees it. What AWS itself lets team-courier do, team-courier --check tries.
 */
#include "doctor.h"

#include <stdlib.h>

enum { READ_LATE = 3 /* times as old as it should be */ };

static void check_courier(struct doctor *d)
{
    if (strcmp(d->aws.courier, "connected") != 0) {
        found(d, GRADE_BAD, "aws",
              d->systemd ? "systemctl enable --now team-courier.socket team-courier.service; "
                           "journalctl -u team-courier tells why it ended"
                         : "start team-courier",
              "team-courier is %s: nothing begins or ends in AWS", d->aws.courier);
        return;
    }
    found(d, GRADE_OK, "aws", NULL, "team-courier is connected%s%s",
          d->aws.identity[0] != '\0' ? ", as " : "", d->aws.identity);
    if (strcmp(d->aws.delegated, "no") == 0)
        found(d, GRADE_WARN, "aws",
              "make another account delegated administrator of IAM Identity Center, and use that "
              "one: team-courier(8)",
              "that is the management account: who takes this host can take the organisation");
}

static void check_trouble(struct doctor *d)
{
    static const char TRY[] = "team-courier --check tries what it may do, and says what it needs";

    if (d->aws.refresh_trouble[0] != '\0')
        found(d, GRADE_BAD, "aws", TRY, "AWS cannot be read: %s", d->aws.refresh_trouble);
    if (d->aws.reconcile_trouble[0] != '\0')
        found(d, GRADE_BAD, "aws", TRY, "what there is in AWS cannot be listed: %s",
              d->aws.reconcile_trouble);
    if (d->aws.oldest[0] != '\0')
        found(d, GRADE_WARN, "aws", TRY, "%s assignments wait for AWS; the oldest: %s",
              d->aws.waiting, d->aws.oldest);
}

static void check_directory(struct doctor *d)
{
    long long age_s = strtoll(d->aws.age_s, NULL, 10),
              refresh_s = strtoll(d->aws.refresh_s, NULL, 10);
    char age[32];
    struct text t = text_over(age, sizeof age);

    if (d->aws.age_s[0] == '\0') {
        found(d, GRADE_BAD, "aws", "teamctl refresh says what is wrong",
              "AWS has not been read: nobody can ask for its accounts");
        return;
    }
    text_put_duration(&t, (uint64_t)(age_s > 0 ? age_s : 0));
    if (age_s > READ_LATE * refresh_s)
        found(d, GRADE_BAD, "aws", "teamctl refresh says what is wrong",
              "AWS was read %s ago: who is in which group there may have changed", age);
    else
        found(d, GRADE_OK, "aws", NULL, "AWS was read %s ago", age);
    if (d->aws.unknown[0] != '\0')
        found(d, GRADE_WARN, "aws", "correct team.conf, or make them there",
              "the configuration names what AWS does not have: %s", d->aws.unknown);
    if (d->aws.sessions[0] != '\0')
        found(d, GRADE_WARN, "aws", "set their session duration to 1h in IAM Identity Center",
              "credentials may outlive an elevation by hours: %s", d->aws.sessions);
}

void doctor_aws(struct doctor *d)
{
    if (d->aws.courier[0] == '\0')
        return;
    check_courier(d);
    check_trouble(d);
    if (d->aws.refresh_s[0] == '\0')
        return; /* it was turned off, and something is still to be removed */
    check_directory(d);
    if (d->aws.drift[0] != '\0' && strcmp(d->aws.drift, "0") != 0)
        found(d, GRADE_WARN, "aws", "teamctl drift lists them; remove them in AWS",
              "nobody approved %s of its assignments", d->aws.drift);
    if (d->aws.portal[0] == '\0')
        found(d, GRADE_WARN, "aws", "set aws.portal_url, and teamctl reload",
              "teamctl show cannot tell people where to use their access");
}
