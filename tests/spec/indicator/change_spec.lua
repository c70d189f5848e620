-- Indicators that are added and deleted.
-- Labels: not-lua5.3
local change = require "mde.indicator.change"
local rehearsal = require "tests.spec.support.rehearsal"

describe("indicators", function()
  local r

  before_each(function()
    r = rehearsal.new { machines = {}, roles = { "Ti.ReadWrite.All" }, limits = false }
  end)

  local function fields(value, more)
    local complete = { indicatorValue = value, indicatorType = "DomainName", action = "Block", title = "t",
      description = "d" }
    for name, each in pairs(more or {}) do complete[name] = each end
    return complete
  end

  local function active() return #r.tenant.indicator_book:listed() end

  it("are read on where a page links to more", function()
    for i = 1, 3 do assert(r.client:add_indicator(fields(("h%d.example"):format(i)))) end
    local book = r.tenant.indicator_book:listed()
    r:answer({ method = "GET", path = "indicators" }, 200, { value = { { id = "994", indicatorValue = "h1.example",
      indicatorType = "DomainName", creationTimeDateTimeUtc = book[1].creationTimeDateTimeUtc } },
      ["@odata.nextLink"] = "https://api.security.microsoft.com/api/indicators?$skip=1" })
    local values = {}
    for one in r.client:indicators "all" do values[#values + 1] = one.indicatorValue end
    table.sort(values)
    assert.same({ "h1.example", "h2.example", "h3.example" }, values)
  end)

  describe("one by one", function()
    it("are added, changed by value and type, and deleted", function()
      local one = assert(r.client:add_indicator(fields("bad.example", { expires_in = "1h" })))
      assert.same({ "994", "added", "Block bad.example" }, { one.id, one.outcome, tostring(one) })
      assert.equal("994", assert(r.client:add_indicator(fields("BAD.example", { action = "Allowed" }))).id)
      assert.equal(1, active())
      assert.is_true(r.client:delete_indicator(one))
      assert.equal(0, active())
      local done, err = r.client:delete_indicator "994"
      assert.is_nil(done)
      assert.equal("not_found", err.kind)
    end)

    it("are sent again where the answer was lost", function()
      r:fault { match = { method = "POST", path = "indicators" }, fault = "gone", processed = true }
      assert.equal("994", assert(r.client:add_indicator(fields "bad.example")).id)
      assert.equal(1, active())
      r:fault { match = { method = "DELETE" }, fault = "gone", processed = true }
      assert.is_true(r.client:delete_indicator "994")
      assert.equal(0, active())
    end)

    for what, answer in pairs { ["another action"] = { action = "Allowed" },
        ["an end that is over"] = { action = "Block", expirationTime = "2020-01-01T00:00:00Z" } } do
      it("are not what an answer with " .. what .. " is", function()
        answer.id, answer.indicatorValue, answer.indicatorType = "7", "bad.example", "DomainName"
        r:answer({ method = "POST", path = "indicators" }, 200, answer, { count = false })
        local one, err = r.client:add_indicator(fields "bad.example")
        assert.is_nil(one)
        assert.same({ "not_as_asked", "unknown" }, { err.code, err.kind })
      end)
    end

    it("may be answered by a former name of the action", function()
      r:answer({ method = "POST", path = "indicators" }, 200, { id = "7", indicatorValue = "bad.example",
        indicatorType = "DomainName", action = "AlertAndBlock" })
      assert.equal("added", assert(r.client:add_indicator(fields "bad.example")).outcome)
    end)

    it("are not what the answer to another is", function()
      r:answer({ method = "POST", path = "indicators" }, 200, { id = "5", indicatorValue = "other.example",
        indicatorType = "DomainName" }, { count = false })
      local one, err = r.client:add_indicator(fields "bad.example")
      assert.is_nil(one)
      assert.equal("not_as_asked", err.code)
      assert.equal("Do it again: twice does no harm.", err.hint)
    end)

    it("are refused by the guard before anything is sent", function()
      local one, err = r.client:add_indicator(fields "microsoft.com")
      assert.is_nil(one)
      assert.same({ "protected", "indicator_too_wide", "vital_domain" }, { err.kind, err.code, err.rule })
      assert.equal(0, #r:requests())
      assert.truthy(r.client:add_indicator(fields "microsoft.com", { allow = { "vital_domain" } }))
    end)

    it("are looked for in a dry run, and nothing is sent", function()
      assert.equal("would_add", assert(r.client:add_indicator(fields "bad.example", { dry_run = true })).outcome)
      assert.equal(0, #r:posts())
      r.client:add_indicator(fields("bad.example", { action = "Allowed" }))
      local one = assert(r.client:add_indicator(fields "bad.example", { dry_run = true }))
      assert.same({ "would_change", "Allowed" }, { one.outcome, one.present.action })
      assert.equal(1, #r:posts())
    end)

    it("have an id of digits", function()
      for _, id in ipairs { "", "9/../8", "x", 5 } do rehearsal.refused(r.client.delete_indicator, r.client, id) end
      rehearsal.refused(r.client.delete_indicator, r.client)
      assert.equal(0, #r:requests())
    end)

    it("need a permission, which the error names", function()
      r = rehearsal.new { machines = {}, limits = false }
      local one, err = r.client:add_indicator(fields "bad.example")
      assert.is_nil(one)
      assert.same({ "permission", "Ti.ReadWrite.All" }, { err.kind, err.permission })
    end)
  end)

  describe("in a list", function()
    local function list(count)
      local rows = {}
      for i = 1, count do rows[i] = fields(("h%d.example"):format(i)) end
      return rows
    end

    it("are sent by the 500, and told in their order", function()
      local rows = list(change.MOST * 2 + 1)
      local results = r.client:import_indicators(rows)
      assert.same({ 1001, 0, 1001 }, { #results, results.failed, active() })
      for i, result in ipairs(results) do
        assert.equal(rows[i], result.item)
        assert.equal(rows[i].indicatorValue, result.value.indicatorValue)
        assert.equal(result.value.indicatorValue, r.tenant.indicator_book:find(result.value.id).indicatorValue)
      end
      assert.same({ "import", "import", "import" }, r:posts())
    end)

    it("are told each with what is wrong with it", function()
      local results = r.client:import_indicators { fields "a.example", fields "*.example", fields "com", fields "a.b.c",
        fields("x.example", { tittle = "t" }) }
      assert.equal(3, results.failed)
      assert.same({ "indicator_malformed", "indicator_too_wide", "unknown_field" },
        { results[2].err.code, results[3].err.code, results[5].err.code })
      assert.is_nil(results[2].err.where)
      assert.equal(2, active())
    end)

    it("are refused by the service row by row", function()
      r.tenant.indicator_book.put = function(_, row) return nil, "no " .. row.indicatorValue end
      local results = r.client:import_indicators(list(2))
      assert.equal(2, results.failed)
      assert.matches('the service refused it: "no h2.example"', results[2].err.message)
      assert.equal("indicator_refused", results[2].err.code)
    end)

    it("are told apart by the case of a URL's path alone", function()
      local hash = ("ab"):rep(20)
      local results = r.client:import_indicators {
        fields(hash, { indicatorType = "FileSha1" }), fields(hash:upper(), { indicatorType = "FileSha1" }),
        fields("https://bad.example/A", { indicatorType = "Url" }),
        fields("https://bad.example/a", { indicatorType = "Url", title = "other" }),
        fields("HTTPS://Bad.example/a", { indicatorType = "Url", title = "other" }),
        fields "bad.example", fields("BAD.example", { action = "Allowed" }),
      }
      assert.equal(2, results.failed)
      assert.same({ "indicator_contradictory", "indicator_contradictory" }, { results[6].err.code,
        results[7].err.code })
      for i = 1, 5 do assert.is_truthy(results[i].value, i) end
      assert.equal(results[1].value, results[2].value)
      assert.equal(results[4].value, results[5].value)
      assert.not_equal(results[3].value, results[4].value)
    end)

    it("are matched in another order, and one that the answer leaves out is unknown", function()
      r.tenant:set { imports = "reversed" }
      local results = r.client:import_indicators(list(3))
      assert.equal("h1.example", r.tenant.indicator_book:find(results[1].value.id).indicatorValue)
      r.tenant:set { imports = "short" }
      results = r.client:import_indicators(list(3))
      assert.same({ 1, "indicator_left_out", "unknown" }, { results.failed, results[3].err.code, results[3].err.kind })
    end)

    it("are sent once where they are the same, and not at all where they contradict", function()
      local results = r.client:import_indicators { fields "a.example", fields "A.example",
        fields "b.example", fields("b.example", { action = "Allowed" }), fields "c.example" }
      -- The value's case is no contradiction.
      assert.truthy(results[1].value)
      assert.equal(results[1].value, results[2].value)
      assert.matches("row 4", results[3].err.message)
      assert.matches("row 3", results[4].err.message)
      assert.truthy(results[5].value)
      results = r.client:import_indicators { fields "d.example", fields "d.example" }
      assert.equal(results[1].value, results[2].value)
      assert.equal(3, active())
    end)

    it("are all refused for one alone, which is found", function()
      -- All five, then what is left of them with the third in it, then that alone.
      for _, nth in ipairs { 1, 3, 4 } do
        r:answer({ method = "POST", path = "import", nth = nth }, 400,
          { error = { code = "BadRequest", message = "bad row" } })
      end
      local results = r.client:import_indicators(list(5))
      assert.same({ 1, 4 }, { results.failed, active() })
      assert.equal(400, results[3].err.http_status)
    end)

    it("are not asked about one by one where all are refused", function()
      r:answer({ path = "import" }, 400, { error = { code = "BadRequest", message = "no" } }, { count = false })
      local results = r.client:import_indicators(list(change.MOST + 1))
      assert.equal(change.MOST + 1, results.failed)
      assert.equal(60, #r:posts())
      assert.equal(400, results[1].err.http_status)
      assert.matches("^it was not sent, since a request for others failed: ", results[change.MOST + 1].err.message)
    end)

    it("are sent again where the answer was lost", function()
      r:fault { match = { path = "import" }, fault = "gone", processed = true }
      local results = r.client:import_indicators(list(3))
      assert.same({ 0, 3 }, { results.failed, active() })
    end)

    it("end where none can be sent", function()
      r = rehearsal.new { machines = {}, limits = false }
      local results = r.client:import_indicators(list(change.MOST + 1))
      assert.equal(change.MOST + 1, results.failed)
      assert.equal("permission", results[change.MOST + 1].err.kind)
      assert.equal(1, #r:posts())
    end)

    it("are checked in a dry run, and nothing is sent", function()
      local results = r.client:import_indicators({ fields "a.example", fields "com" }, { dry_run = true })
      assert.same({ 1, "would_add" }, { results.failed, results[1].value.outcome })
      assert.equal(0, #r:posts())
    end)

    it("may be none", function()
      assert.same({ failed = 0 }, r.client:import_indicators {})
      assert.equal(0, #r:requests())
      rehearsal.refused(r.client.import_indicators, r.client, "x")
      rehearsal.refused(r.client.import_indicators, r.client, { indicatorValue = "x" })
    end)
  end)
end)
