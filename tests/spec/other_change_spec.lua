-- Changes that are no response actions, made with the run there is.
local other_change = require "mde.other_change"

describe("a change that is no response action", function()
  local ended

  local function client(is_planned, errs)
    ended = {}
    return { action_center = { session = { begin_others = function() return is_planned, errs or {} end,
      end_others = function(_, changes, problems)
        for i, change in ipairs(changes) do ended[i] = { change.subject, problems[i] } end
      end } } }
  end

  local function made(of, ...)
    local answer = { ... }
    return other_change.make(of, { what = "tag", subject = "a" }, function() return "rehearsed" end,
      function()
        if answer[1] == "raise" then error("raised", 0) end
        return answer[1], answer[2]
      end)
  end

  it("is sent without a run, rehearsed by a plan, and told to a session", function()
    assert.equal("sent", made({ action_center = {} }, "sent"))
    assert.equal("rehearsed", made(client(true), "sent"))
    assert.same({}, ended)
    assert.equal("sent", made(client(false), "sent"))
    assert.same({ { "a" } }, ended)
    assert.equal("why", select(2, made(client(false), nil, "why")))
    assert.same({ { "a", "why" } }, ended)
    assert.equal("stays", select(2, made(client(false, { "stays" }), "sent")))
    assert.same({}, ended)
    local ok, problem = pcall(made, client(false), "raise")
    assert.same({ false, "raised", { { "a", "raised" } } }, { ok, problem, ended })
  end)

  it("is one of many, of which some stay", function()
    local items
    local function many(of)
      return other_change.make_many(of, { "a", "b", "c" }, function(item) return { what = "tag", subject = item } end,
        function() return "rehearsed" end, function(list)
          items = table.concat(list)
          local results = { failed = 0 }
          for i, item in ipairs(list) do results[i] = { item = item, err = item == "c" and "no" or nil } end
          return results
        end)
    end
    assert.equal(3, #many { action_center = {} })
    assert.equal("rehearsed", many(client(true)))
    local results = many(client(false, { [2] = "stays" }))
    assert.equal("ac", items)
    assert.same({ failed = 2, { item = "a" }, { item = "b", err = "stays" }, { item = "c", err = "no" } }, results)
    assert.same({ { "a" }, { "c", "no" } }, ended)
  end)
end)
