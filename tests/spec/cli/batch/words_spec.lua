-- words: how each response action is told.
-- Labels: not-lua5.3
local core = require "mde.core"
local words = require "mde.cli.batch.words"

describe("the words of a response action", function()
  it("are there for each that makes an action, and its own", function()
    local seen, count = {}, 0
    for _, verb in ipairs(words.verbs()) do
      local own = words.of(verb)
      count = count + 1
      assert.equal(verb, own.verb)
      for _, name in ipairs { "noun", "means", "doing" } do
        assert.is_nil(seen[own[name]], own[name])
        seen[own[name]] = verb
      end
      assert.matches("%%s", own.doing)
      assert.matches("^%u%l+$", own.label)
      assert.matches(":$", own.means)
      assert.not_matches(" done$", own.past)
    end
    assert.is_true(count >= 9)
  end)

  it("name the state that the row names", function()
    for _, verb in ipairs(words.verbs()) do
      local row = core.response_actions[verb]
      if row.holds then assert.equal(row.state, words.of(verb).past) end
    end
  end)

  it("say what is taken back by what", function()
    for verb, case in pairs { isolate = { "isolate", "released from isolation" }, unisolate = { "isolate", "isolated" },
      scan = { nil, "cancelled" } } do
      assert.equal(case[1], words.of(verb).holder)
      assert.equal(case[2], words.of(verb).taken_back)
    end
  end)
end)
