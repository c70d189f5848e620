-- What the table of response actions says, as the layers above ask it.
local rehearsal = require "tests.spec.support.rehearsal"
local responses = require "mde.action.response"

local SHA1 = ("3395856ce81f2b7382dee72602f798b642f14140")

describe("a response", function()
  it("makes an action, or is not one of them", function()
    assert.same({ "restrict", "release", "isolate", "unisolate", "contain", "uncontain", "scan", "quarantine",
      "collect" }, responses.verbs)
    assert.same({ "restrict", "isolate", "contain" }, responses.holding)
    for _, verb in ipairs(responses.verbs) do assert.is_true(responses.is_verb(verb)) end
    for _, other in ipairs { "tag", "cancel", "package_link", "offboard", 1 } do
      assert.is_false(responses.is_verb(other))
    end
    assert.is_false(responses.is_verb(nil))
  end)

  it("is found by the type of its actions, in any case", function()
    assert.equal("restrict", responses.of_type "restrictCODEexecution")
    assert.equal("isolate", responses.of_type "Isolate")
    assert.is_nil(responses.of_type "Offboard")
    assert.is_nil(responses.of_type(nil))
    assert.is_true(responses.is_of({ type = "ISOLATE" }, "contain"))
    assert.is_false(responses.is_of({}, "contain"))
  end)

  it("holds a device, or lets it go", function()
    local holders, releases = {}, {}
    for _, verb in ipairs(responses.verbs) do
      holders[verb] = responses.holder(verb)
      if responses.releases(verb) then releases[#releases + 1] = verb end
    end
    assert.same({ restrict = "restrict", release = "restrict", isolate = "isolate", unisolate = "isolate",
      contain = "contain", uncontain = "contain" }, holders)
    assert.same({ "release", "unisolate", "uncontain" }, releases)
  end)

  it("shares the limits of what is posted to the same path", function()
    assert.equal("isolate", responses.api "contain")
    assert.equal("unisolate", responses.api "uncontain")
    assert.equal("scan", responses.api "scan")
  end)

  it("is listed with its opposite", function()
    assert.equal("type eq 'RestrictCodeExecution' or type eq 'UnrestrictCodeExecution'",
      responses.group("release").filter)
    assert.equal(responses.group "isolate", responses.group "uncontain")
    assert.equal("type eq 'RunAntiVirusScan'", responses.group("scan").filter)
    assert.is_true(responses.group("isolate"):has { type = "unisolate" })
    assert.is_false(responses.group("isolate"):has { type = "RestrictCodeExecution" })
    assert.is_false(responses.group("isolate"):has {})
  end)

  it("says in its body what the table says, and nothing else", function()
    local function body(verb, options) return { responses.body(verb, options or {}) } end
    assert.same({ {} }, body "restrict")
    assert.same({ { IsolationType = "Full" }, "Full" }, body "isolate")
    assert.same({ { IsolationType = "Selective" }, "Selective" }, body("isolate", { isolation_type = "Selective" }))
    assert.same({ { IsolationType = "UnManagedDevice" } }, body "contain")
    assert.same({ {} }, body "unisolate")
    assert.same({ { ScanType = "Quick" }, "Quick" }, body "scan")
    assert.same({ { Sha1 = SHA1 }, SHA1 }, body("quarantine", { sha1 = "3395856CE81F2B7382DEE72602F798B642F14140" }))
  end)

  it("takes no other value", function()
    for verb, options in pairs { isolate = { isolation_type = "UnManagedDevice" }, scan = { scan_type = "quick" },
      quarantine = { sha1 = SHA1 .. "0" } } do
      assert.equal("wrong_value", rehearsal.refused(responses.body, verb, options).code)
    end
    assert.equal("sha1_missing", rehearsal.refused(responses.body, "quarantine", {}).code)
  end)
end)

describe("the page on responses", function()
  local core = require "mde.core"

  -- What a row takes, as the page writes it.
  local function taken(row)
    for _, field in ipairs(row.fields) do
      if field.option then
        local words = {}
        for i, word in ipairs(field.words) do words[i] = word .. (word == field.value and " (default)" or "") end
        local value = field.kind == "sha1" and "40 hexadecimal digits" or field.kind == "text" and "any text"
          or table.concat(words, ", ")
        return ("`%s`: %s"):format(field.option, value)
      end
    end
    return ""
  end

  local function quoted(text) return text and ("`%s`"):format(text) or "" end

  -- The cells of a line of a table, without the blanks around them.
  local function cells(line)
    local list = {}
    for cell in line:gmatch "|([^|]*)" do list[#list + 1] = cell:match "^%s*(.-)%s*$" end
    list[#list] = nil
    return list
  end

  it("has each row of the table, as it is, in its order", function()
    local expected, found = {}, {}
    for i, name in ipairs(core.response_actions) do
      local row = core.response_actions[name]
      expected[i] = { quoted(name), row.summary, taken(row), quoted(row.type), row.permission, quoted(row.opposite) }
    end
    for line in io.lines "lua/mde/action/response.md" do
      if line:find "^| `" then found[#found + 1] = cells(line) end
    end
    assert.same(expected, found)
  end)
end)
