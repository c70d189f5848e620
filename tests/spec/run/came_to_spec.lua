-- One word for a device that several things were done to: the worst, but a way that failed before another cut it off.
local came_to = require "mde.run.came_to"

describe("what came of a device", function()
  -- "restrict failed" for a step, "isolate? not_needed" for what the plan alone has.
  local function word_of(...)
    local changes = {}
    for i, text in ipairs { ... } do
      local verb, mark, word = text:match "^(%a+)(%p?) (.+)$"
      changes[i] = { verb = verb, word = word, n = mark == "" and i or nil, if_needed = mark == "?" or nil,
        decision = mark ~= "" and verb or nil, outcome = word == "already_active" and word or "accepted" }
    end
    return came_to.of_device(changes)
  end

  for words, case in pairs {
    ["is what was done last of one thing"] = { "released", "restrict restricted", "release released" },
    ["is the worst of several things"] = { "failed", "restrict restricted", "scan failed" },
    ["is the worst in whatever order"] = { "failed", "restrict failed", "scan scanned" },
    ["is the way that cut it off in the end"] = { "isolated", "restrict failed", "isolate isolated" },
    ["is the way that is under way"] = { "pending", "restrict failed", "isolate pending" },
    ["is a failure where the last way failed"] = { "failed", "isolate isolated", "restrict failed" },
    ["is a failure of all ways"] = { "failed", "restrict failed", "isolate failed" },
    ["is a failed isolation although the device was restricted later"] =
      { "failed", "isolate failed", "restrict restricted" },
    ["is what nobody knows although another way cut it off"] = { "unknown", "restrict unknown", "isolate isolated" },
    ["is a refusal although another way cut it off"] = { "refused", "restrict refused", "isolate isolated" },
    ["is a cancellation although another way cut it off"] = { "cancelled", "restrict cancelled", "isolate isolated" },
    ["is what is under way although another way cut it off"] = { "pending", "restrict pending", "isolate isolated" },
    ["is not covered by a way of which nobody knows"] = { "unknown", "restrict failed", "isolate unknown" },
    ["does not let a release cover the end of an isolation"] = { "failed", "unisolate failed", "release released" },
    ["does not need what the playbook might have come to"] =
      { "restricted", "restrict restricted", "isolate? not_needed" },
    ["counts what was not sent"] = { "not_sent", "restrict restricted", "isolate! not_sent" },
    ["is left where nothing was planned"] = { "left" },
  } do
    it(words, function() assert.equal(case[1], (word_of(case[2], case[3]))) end)
  end

  it("tells each file of a quarantine by itself", function()
    local word, groups = came_to.of_device {
      { verb = "quarantine", decision = "quarantine", sha1 = ("a1"):rep(20), n = 1, word = "failed",
        outcome = "accepted" },
      { verb = "quarantine", decision = "quarantine", sha1 = ("b2"):rep(20), n = 2, word = "file_quarantined",
        outcome = "accepted" } }
    assert.same({ "failed", 2 }, { word, #groups })
  end)

  it("is what was done before where a step found it so again", function()
    local _, groups = word_of("restrict restricted", "isolate isolated", "restrict already_active")
    assert.same({ "restrict", "restricted", "isolate", "isolated" },
      { groups[1].name, groups[1].word, groups[2].name, groups[2].word })
  end)

  it("has a word for each verb that was done, between what is open and what was left", function()
    for _, case in ipairs { { "isolate", "isolated" }, { "scan", "scanned" }, { "quarantine", "file_quarantined" } } do
      local step = { verb = case[1], outcome = "accepted", status = "Succeeded", session = 1 }
      assert.equal(case[2], came_to.of_step(step))
      assert.equal("done", came_to.part_of[case[2]])
      assert.is_true(came_to.rank.planned < came_to.rank[case[2]] and came_to.rank[case[2]] < came_to.rank.left)
    end
    assert.equal("left", came_to.of_step { verb = "nonsense", outcome = "accepted", status = "Succeeded" })
  end)

  it("says of what the plan alone has whether it is to come, was needed, or was not sent", function()
    local planned = { verb = "isolate", decision = "isolate" }
    local possible = { verb = "isolate", decision = "isolate", if_needed = true }
    local release = { verb = "release", decision = "release" }
    assert.equal("not_held", came_to.of_plan(release, false, { outcome = "conflict", code = "nothing_held" }))
    assert.equal("held", came_to.of_plan(release, false, { outcome = "conflict", code = "held_by_others" }))
    assert.equal("withheld", came_to.of_plan(release, false, { outcome = "conflict", code = "opposite_pending" }))
    assert.same({ "not_sent", "planned", "may_come", "may_come", "not_needed", "withheld" },
      { came_to.of_plan(planned, false), came_to.of_plan(planned, true), came_to.of_plan(possible, false),
        came_to.of_plan(possible, true), came_to.of_plan(possible, false, nil, true),
        came_to.of_plan(possible, false, { outcome = "protected" }) })
  end)
end)
