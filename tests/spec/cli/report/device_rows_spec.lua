-- The devices of a run in tables of HTML.
local device_rows = require "mde.cli.report.device_rows"
local markup = require "tests.spec.support.markup"

describe("the rows of devices", function()
  local function device(fields)
    local own = { id = ("%040x"):format(1), name = "pc-1.corp.example", platform = "Windows11", tags = {},
      word = "restricted", part = "done", changes = { { verb = "restrict", word = "restricted", sent_at = 1795921084,
        done_at = 1795921090, operation_id = "operation-1", action_id = "action-1", incident = "INC-1", n = 1 } } }
    for name, value in pairs(fields or {}) do own[name] = value end
    return own
  end

  local function written(fn, ...)
    local parts = { "<!DOCTYPE html>\n" }
    fn(function(...)
      for i = 1, select("#", ...) do parts[#parts + 1] = (select(i, ...)) end
    end, ...)
    return markup.read(table.concat(parts))
  end

  it("say what came of each, when, and which action it is in a second line", function()
    local tags, text = written(device_rows.table, { device() }, "caption", "2026-11-29")
    for _, words in ipairs { "pc-1.corp.example", "restricted", "02:58:04", "02:58:10", "Windows11", "INC-1",
      "operation-1", "action-1", ("%040x"):format(1) } do
      assert.truthy(text:find(words, 1, true), words)
    end
    assert.equal(4, #markup.named(tags, "th") - 1)
    assert.equal("4", markup.named(tags, "td")[4].attributes.colspan)
  end)

  it("say who else holds a device, where somebody does", function()
    local own = device()
    own.changes[1].also_held = { "INC-2", "bob" }
    local tags, text = written(device_rows.table, { own, device() }, "caption")
    assert.truthy(text:find("INC-2, bob", 1, true))
    assert.truthy(text:find("Held too by", 1, true))
    assert.equal("5", markup.named(tags, "td")[5].attributes.colspan)
  end)

  it("tell several changes of one device apart", function()
    local own = device { word = "released" }
    own.changes[2] = { verb = "release", word = "released", n = 2, operation_id = "operation-2" }
    local _, text = written(device_rows.table, { own }, "caption")
    assert.matches("restrict restricted: ", text)
    assert.matches("release released: ", text)
    assert.truthy(text:find("operation-2", 1, true))
  end)

  it("call a device without a name by its id, and one without a change all the same", function()
    local own = device { word = "left", part = "left", changes = {} }
    own.name = nil
    for _, fn in ipairs { device_rows.table, device_rows.left } do
      local tags = written(fn, { own }, "caption")
      assert.equal(own.id, markup.named(tags, "th")[#markup.named(tags, "th")].text)
    end
    assert.truthy(select(2, written(device_rows.needs, { own }, "left")):find(own.id, 1, true))
  end)

  it("say why a device was left, and what is known of one that needs somebody", function()
    local _, text = written(device_rows.left, { device { word = "protected", part = "left", is_server = true,
      device_value = "High", changes = { { verb = "restrict", word = "protected", rule = "servers" } } } }, "caption")
    for _, words in ipairs { "protected", "rule servers", "server", "value High" } do
      assert.truthy(text:find(words, 1, true), words)
    end
    _, text = written(device_rows.needs, { device { word = "cancelled", is_offline = true,
      changes = { { verb = "restrict", word = "cancelled", cancelled_by = "carol", n = 1 } } } }, "cancelled")
    assert.truthy(text:find("cancelled by carol", 1, true))
    assert.truthy(text:find("not seen for an hour", 1, true))
  end)

  it("show a word with a sign that is not read aloud", function()
    local tags = markup.read("<!DOCTYPE html>\n" .. device_rows.word "failed")
    assert.equal("true", tags[2].attributes["aria-hidden"])
    assert.equal("w needs", tags[1].attributes.class)
  end)
end)
