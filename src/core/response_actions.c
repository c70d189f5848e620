#include "response_actions.h"

#include <string.h>

#define ROW(name) (&mde_responses[MDE_RESPONSE_##name])

const struct mde_response mde_responses[MDE_RESPONSE_COUNT] = {
    [MDE_RESPONSE_RESTRICT] = {"restrict", "RestrictCodeExecution", "restrictCodeExecution",
                               ROW(RELEASE), true},
    [MDE_RESPONSE_RELEASE] = {"release", "UnrestrictCodeExecution", "unrestrictCodeExecution",
                              ROW(RESTRICT), false},
    [MDE_RESPONSE_ISOLATE] = {"isolate", "Isolate", "isolate", ROW(UNISOLATE), true},
    [MDE_RESPONSE_UNISOLATE] = {"unisolate", "Unisolate", "unisolate", ROW(ISOLATE), false},
    [MDE_RESPONSE_SCAN] = {"scan", "RunAntiVirusScan", "runAntiVirusScan", NULL, false},
    [MDE_RESPONSE_COLLECT] = {"collect", "CollectInvestigationPackage",
                              "collectInvestigationPackage", NULL, false},
};

const struct mde_response *mde_response_named(struct mde_text name)
{
  for (int i = 0; i < MDE_RESPONSE_COUNT; i++) {
    const char *own = mde_responses[i].name;
    if (mde_text_same(name, (struct mde_text){own, strlen(own)})) return &mde_responses[i];
  }
  return NULL;
}

const struct mde_response *mde_response_of_type(struct mde_text type)
{
  for (int i = 0; i < MDE_RESPONSE_COUNT; i++) {
    const char *own = mde_responses[i].type;
    if (mde_text_same_caseless(type, (struct mde_text){own, strlen(own)})) return &mde_responses[i];
  }
  return NULL;
}
