-- fields: what machines, actions, alerts and incidents have, for --columns and --sort.
-- Labels: not-lua5.3
local alert_fields = require "mde.query.alert_fields"
local fields = require "mde.cli.listing.fields"
local kinds = require "mde.query.kinds"
local known = require "mde.query.fields"
local rehearsal = require "tests.spec.support.rehearsal"

describe("the fields of the command", function()
  for _, what in ipairs { "machines", "actions", "indicators" } do
    it("of " .. what .. " are those of the library, with the same values and ranks", function()
      local names, levels, choices = {}, {}, {}
      for _, name in ipairs(fields[what].names) do names[name] = true end
      assert.same(known[what].known, names)
      assert.same(known[what].names, fields[what].selectable)
      for name, field in pairs(known[what].fields) do
        choices[name] = field.order
        if field.kind == require("mde.query.kinds").level then levels[name] = field.choices end
        if field.kind == require("mde.query.kinds").time then assert.is_true(fields[what].times[name], name) end
      end
      assert.same(levels, fields[what].levels)
      assert.same(choices, fields[what].choices)
    end)
  end

  it("of alerts and incidents are those of the library, of either source, with the same values and ranks", function()
    local both = { alerts = { alert_fields.alerts, alert_fields.graph_alerts }, incidents = { alert_fields.incidents } }
    for what, schemas in pairs(both) do
      local names, selectable = {}, {}
      for _, name in ipairs(fields[what].names) do names[name] = true end
      for _, schema in ipairs(schemas) do
        for name, field in pairs(schema.fields) do
          selectable[name] = true
          assert.same(field.order, fields[what].choices[name], name)
          assert.same(field.kind == kinds.level and field.choices or nil, fields[what].levels[name], name)
          assert.equal(field.kind == kinds.time or nil, fields[what].times[name], name)
        end
        for name in pairs(schema.known) do assert.is_true(names[name] or name == "alerts", name) end
      end
      for _, name in ipairs(fields[what].selectable) do
        assert.is_true(selectable[name], name)
        selectable[name] = nil
      end
      assert.same({}, selectable)
    end
  end)

  it("are read from a list of names", function()
    assert.same({ "id" }, fields.list("id", fields.machines, "--columns"))
    assert.same({ "lastSeen", "id" }, fields.list(" lastSeen , id", fields.machines, "--columns"))
  end)

  for text, problem in pairs {
    riskscore = 'a machine has no field "riskscore". Did you mean "riskScore"?',
    ["id,requestor"] = 'a machine has no field "requestor". There are id, computerDnsName, ',
    [""] = "--columns has an empty name in it; an empty shell variable?", ["id,,type"] = "an empty name in it",
    ["id,"] = "an empty name in it", ["\27[2J"] = "\\x1b[2J",
  } do
    it(("are not %q"):format(text), function()
      local err = rehearsal.refused(fields.list, text, fields.machines, "--columns")
      assert.truthy(tostring(err):find(problem, 1, true), tostring(err))
    end)
  end
end)
