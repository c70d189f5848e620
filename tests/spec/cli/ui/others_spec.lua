-- What a plan notes beside its response actions, in a line for each verb.
local others = require "mde.cli.ui.others"

describe("what a plan notes beside", function()
  local function of(verb, count)
    local list = {}
    for i = 1, count do list[i] = ("%s pc-%d: seen"):format(verb, i) end
    return list
  end

  it("is a line for each verb, with how many and the first names", function()
    local list = of("tag", 292)
    table.insert(list, 3, "untag pc-1: new")
    table.insert(list, "cancel 5c1f: no more")
    table.insert(list, "untag pc-2")
    assert.same({ "tag 292: pc-1: seen, pc-2: seen, pc-3: seen, pc-4: seen, pc-5: seen and 287 more (--json lists them "
      .. "all)", "untag 2: pc-1: new, pc-2", "cancel 5c1f: no more" }, others.lines(list))
  end)

  it("names all where there are few, and is nothing where there is nothing", function()
    assert.same({ "tag 5: pc-1: seen, pc-2: seen, pc-3: seen, pc-4: seen, pc-5: seen" }, others.lines(of("tag", 5)))
    assert.same({ "tag pc-1: seen" }, others.lines(of("tag", 1)))
    assert.same({ "tag" }, others.lines { "tag" })
    assert.same({}, others.lines {})
  end)

  it("shows what may be anything as text", function()
    assert.same({ [[tag pc\x1b[2J: x\x07]] }, others.lines { "tag pc\27[2J: x\7" })
  end)

  it("says what was not done", function()
    local sent = { { line = "tag a", word = "done" }, { line = "tag b", word = "failed", said = "no\27" },
      { line = "tag c", word = "unknown" } }
    assert.same({ [[Not done: tag b: no\x1b]], "Sent, and not known what came of it: tag c" }, others.not_done(sent))
    for i = 4, 9 do sent[i] = { line = "tag d", word = "failed" } end
    local lines = others.not_done(sent)
    assert.equal(6, #lines)
    assert.equal("3 more were not done (--json lists them all)", lines[6])
  end)
end)
