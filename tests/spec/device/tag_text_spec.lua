-- What a tag may be, and whether a machine has it.
local rehearsal = require "tests.spec.support.rehearsal"
local texts = require "mde.device.tag_text"

describe("a tag's text", function()
  it("is one that others can read and type", function()
    for _, tag in ipairs { "tier0", "left for review", "Geschäftsführung", "a'b" } do texts.check(tag, "mde.tag") end
    for tag, code in pairs { [""] = "tag_empty", [" \t"] = "tag_empty", ["a\27b"] = "tag_malformed",
      ["a\255"] = "tag_malformed", ["a\226\128\174b"] = "tag_malformed", [17] = "wrong_type" } do
      assert.equal(code, rehearsal.refused(texts.check, tag, "mde.tag").code)
    end
    assert.equal("wrong_type", rehearsal.refused(texts.check, nil, "mde.tag").code)
  end)

  it("is had in every spelling", function()
    local machine = { machineTags = { "tier0", " TIER0", "other", 17 } }
    assert.same({ "tier0", " TIER0" }, texts.spellings(machine, "Tier0"))
    assert.is_true(texts.verbs.tag.done(machine, "TIER0"))
    assert.is_true(texts.verbs.untag.done(machine, "Tier0"))
    assert.is_false(texts.verbs.untag.done(machine, "tier0"))
    assert.is_false(texts.verbs.tag.done({}, "tier0"))
  end)

  it("can be told from an answer, or not", function()
    for _, tags in ipairs { {}, { "a" } } do assert.is_true(texts.is_told(tags)) end
    assert.is_true(texts.is_told(nil))
    for _, tags in ipairs { "a", { 1 }, 7 } do assert.is_false(texts.is_told(tags)) end
  end)

  it("stands in the body as the service calls it", function()
    assert.same({ Value = "x", Action = "Add" }, texts.body("tag", "x"))
    assert.same({ Value = "x", Action = "Remove" }, texts.body("untag", "x"))
  end)
end)
