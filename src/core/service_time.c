#include "service_time.h"

#include <math.h>
#include <stddef.h>

/* Who says that it is before 2017 or after 2100 does not know the time. */
#define MIN_UNIX_TIME 1.5e9
#define MAX_UNIX_TIME 4.1e9

void mde_service_time_init(struct mde_service_time *time)
{
  *time = (struct mde_service_time){.has_row = false};
}

bool mde_service_time_hear(struct mde_service_time *time, enum mde_witness witness, double ticked,
                           double told)
{
  if (!(told > MIN_UNIX_TIME && told < MAX_UNIX_TIME) || !isfinite(ticked)) return false;
  time->heard[witness] = true;
  time->ahead[witness] = told - ticked;
  return true;
}

/* What the witnesses say, ascending; returns how many they are. */
static size_t testimonies(const struct mde_service_time *time, double ticked, double local,
                          double said[MDE_WITNESS_COUNT + 1])
{
  size_t count = 1;
  said[0] = local;
  for (size_t i = 0; i < MDE_WITNESS_COUNT; i++) {
    if (!time->heard[i]) continue;
    double told = ticked + time->ahead[i];
    size_t place = count++;
    for (; place > 0 && said[place - 1] > told; place--)
      said[place] = said[place - 1];
    said[place] = told;
  }
  return count;
}

double mde_service_time_agreed(const struct mde_service_time *time, double ticked, double local)
{
  double said[MDE_WITNESS_COUNT + 1];
  size_t count = testimonies(time, ticked, local, said);
  return said[(count - 1) / 2];
}

bool mde_service_time_row(struct mde_service_time *time, double ticked, double local,
                          double created)
{
  bool usable = isfinite(created) && isfinite(ticked) &&
                created <= mde_service_time_latest(time, ticked, local);
  if (!usable || created <= mde_service_time_at(time, ticked, local)) return false;
  time->has_row = true;
  time->row_ahead = created - ticked;
  return true;
}

double mde_service_time_at(const struct mde_service_time *time, double ticked, double local)
{
  double agreed = mde_service_time_agreed(time, ticked, local);
  if (!time->has_row) return agreed;
  double row = ticked + time->row_ahead;
  return fmin(fmax(agreed, row), agreed + MDE_SERVICE_TIME_MAX_AHEAD_SECONDS);
}

double mde_service_time_latest(const struct mde_service_time *time, double ticked, double local)
{
  return mde_service_time_agreed(time, ticked, local) + MDE_SERVICE_TIME_MAX_AHEAD_SECONDS;
}

double mde_service_time_spread(const struct mde_service_time *time, double ticked, double local)
{
  double said[MDE_WITNESS_COUNT + 1];
  size_t count = testimonies(time, ticked, local, said);
  return said[count - 1] - said[0];
}
