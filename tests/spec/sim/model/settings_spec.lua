-- What a tenant can be told to do differently: what each setting may be, and what it changes.
-- Labels: not-lua5.3
local settings = require "mde.sim.model.settings"

describe("the settings", function()
  local tenant

  before_each(function()
    tenant = { delays = { pending = 0.5, running = 1 } }
  end)

  it("change what is named, and nothing else", function()
    settings.change(tenant, { lifetime = 60, duplicates = "new", comparison = "caseless", completion = "reversed",
      app_header = "opaque" })
    assert.same({ lifetime = 60, duplicates = "new", comparison = "caseless", completion = "reversed",
      app_header = "opaque", delays = { pending = 0.5, running = 1 } }, tenant)
  end)

  it("leave the delay alone that is not named", function()
    settings.change(tenant, { delays = { running = 0 } })
    assert.same({ pending = 0.5, running = 0 }, tenant.delays)
    assert.has_error(function() settings.change(tenant, { delays = { pending = 9, running = -1 } }) end)
    assert.same({ pending = 0.5, running = 0 }, tenant.delays)
  end)

  it("have delays of their own for a type, and for a type and a scope", function()
    settings.change(tenant, { delays = { RunAntiVirusScan = { running = 60 },
      ["RunAntiVirusScan.Full"] = { running = 7200, pending = 0 } } })
    settings.change(tenant, { delays = { pending = 2, Offboard = {} } })
    assert.same({ pending = 2, running = 1, RunAntiVirusScan = { running = 60 },
      ["RunAntiVirusScan.Full"] = { running = 7200, pending = 0 }, Offboard = {} }, tenant.delays)
  end)

  it("are one of some words", function()
    for name, words in pairs { repeated_isolation = { "sticks", "succeeds" },
        bulk_tags = { "refuse_all", "skip", "stop" }, package_uri = { "plain", "quoted" },
        imports = { "in_order", "reversed", "short" }, export_links = { "foreign", "looping", "whole" } } do
      for _, word in ipairs(words) do
        settings.change(tenant, { [name] = word })
        assert.equal(word, tenant[name])
      end
      tenant[name] = nil
    end
  end)

  it("set limits, the service's, or none", function()
    local function refused_after()
      local calls = 0
      repeat calls = calls + 1 until tenant.limits:count("an API", 0)
      return calls - 1
    end
    settings.change(tenant, { limits = { per_minute = 3 } })
    assert.equal(3, refused_after())
    settings.change(tenant, { limits = true })
    assert.equal(100, refused_after())
    settings.change(tenant, { limits = false })
    assert.is_nil(tenant.limits)
  end)

  it("cut comments, and stop it", function()
    settings.change(tenant, { comment_limit = 40 })
    assert.equal(40, tenant.comment_limit)
    settings.change(tenant, { comment_limit = false })
    assert.is_nil(tenant.comment_limit)
  end)

  it("begin lists from the first page, and leave the manners alone that are not named", function()
    settings.change(tenant, { lists = { lag = 3 } })
    tenant.is_listed = true
    settings.change(tenant, { lists = { order = "reshuffled" } })
    assert.same({ 3, "reshuffled", false }, { tenant.lists.lag, tenant.lists.order, tenant.is_listed })
  end)

  it("take identities as they are now", function()
    local one = { client_id = "x", system = true, roles = { "Machine.Read.All" } }
    settings.change(tenant, { identities = { one } })
    one.roles[1] = "Machine.Isolate"
    assert.same({ { client_id = "x", system = true, roles = { "Machine.Read.All" } } }, tenant.identities)
  end)

  it("keep the directory of Azure Arc's keys, and no key", function()
    settings.change(tenant, { arc = { directory = "/var/keys", challenge = "a" } })
    tenant.arc.keys.x = true
    settings.change(tenant, { arc = { challenge = "b" } })
    assert.same({ directory = "/var/keys", challenge = "b", keys = {} }, tenant.arc)
  end)

  for _, case in ipairs {
    { "patience", 5, "there is no setting 'patience'" },
    { "duplicate", "new", "Did you mean 'duplicates'?" },
    { "lifetime", -1, "lifetime must be a number of seconds, not -1" },
    { "lifetime", math.huge, "lifetime must be a number of seconds, not" },
    { "lifetime", 0 / 0, "lifetime must be a number of seconds" },
    { "lifetime", "60", "lifetime must be a number of seconds, not '60'" },
    { "delays", 5, "delays must be a table, not 5" },
    { "delays", { waiting = 5 }, "delays: there is no 'waiting'" },
    { "delays", { Scan = { running = 5 } }, "delays: there is no 'Scan'" },
    { "delays", { ["RunAntiVirusScan."] = { running = 5 } }, "delays: there is no 'RunAntiVirusScan.'" },
    { "delays", { RunAntiVirusScan = 5 }, "delays: there is no 'RunAntiVirusScan'" },
    { "delays", { Isolate = { waiting = 5 } }, "delays: there is no 'waiting' of Isolate; there are pending and" },
    { "delays", { Isolate = { running = -5 } }, "delays: running must be a number of seconds, not -5" },
    { "delays", { [1] = {} }, "delays: there is no '1'" },
    { "repeated_isolation", true, "repeated_isolation must be one of sticks, succeeds, not true" },
    { "bulk_tags", "some", "bulk_tags must be one of refuse_all, skip, stop, not 'some'" },
    { "package_uri", 5, "package_uri must be one of plain, quoted, not 5" },
    { "delays", { pending = -1 }, "delays: pending must be a number of seconds, not -1" },
    { "duplicates", "sometimes", "duplicates must be one of active_request, in_progress, new, pending" },
    { "comparison", "loose", "comparison must be one of caseless, exact, not 'loose'" },
    { "completion", "at once", "completion must be in_order or reversed, not 'at once'" },
    { "limits", 5, "limits must be a table, true or false" },
    { "limits", { per_day = 5 }, "limits: there is no 'per_day'" },
    { "comment_limit", 0, "comment_limit must be a number of characters, or false, not 0" },
    { "comment_limit", true, "comment_limit must be a number of characters, or false, not true" },
    { "lists", { skip = "never" }, "lists: skip must be one of honoured, ignored" },
    { "identities", { client_id = "x" }, "identities must be a list of tables" },
    { "identities", { { client_id = "x" }, {} }, "identities[2]: an identity needs a client_id" },
    { "identities", { { client_id = 5 } }, "identities[1]: client_id must be a string, not 5" },
    { "identities", { { client = "x" } }, "Did you mean 'client_id'?" },
    { "identities", { { client_id = "x", roles = { "Machine.Reed.All" } } }, "Did you mean 'Machine.Read.All'?" },
    { "arc", "/var/keys", "arc must be a table, not '/var/keys'" },
    { "app_header", 5, "app_header must be a text, not 5" },
  } do
    it("are refused where they make no sense: " .. case[3], function()
      local ok, message = pcall(settings.change, tenant, { [case[1]] = case[2] })
      assert.is_false(ok)
      assert.truthy(message:find(case[3], 1, true), message)
      assert.same({ delays = { pending = 0.5, running = 1 } }, tenant)
    end)
  end
end)
