-- mde indicators add, import and delete: shown, asked about, and done.
-- Labels: only-lua5.4
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

describe("mde indicators", function()
  local r, path

  before_each(function()
    r = rehearsal.new { machines = {}, roles = { "Ti.ReadWrite.All" }, limits = false }
    path = os.tmpname()
  end)
  after_each(function() os.remove(path) end)

  local function run(words, answers)
    table.insert(words, 1, "indicators")
    return console.run(words, { client = r.client, answers = answers })
  end

  local function add(value, more, answers)
    local words = { "add", value, "--type", "DomainName", "--action", "Block", "--title", "t", "--description", "d" }
    for _, word in ipairs(more or {}) do words[#words + 1] = word end
    return run(words, answers)
  end

  local function active() return #r.tenant.indicator_book:listed() end

  it("adds one that was confirmed", function()
    local told = add("bad.example", nil, { "n" })
    assert.same({ 2, 0 }, { told.status, active() })
    assert.matches('Block DomainName "bad.example", for all devices, without an end', told.err)
    told = add("bad.example", { "--group", "Laptops", "--expires", "30d" }, { "y" })
    assert.same({ 0, '994: Block DomainName "bad.example"\n' }, { told.status, told.out })
    assert.matches("for Laptops, until 20", told.err)
    assert.same({ "Laptops" }, r.tenant.indicator_book:find("994").rbacGroupNames)
  end)

  it("is for all devices only where no group is named", function()
    local told = add("bad.example", { "--group", "", "--yes" })
    assert.same({ 1, 0 }, { told.status, active() })
    assert.matches("rbacGroupNames%[1%] must be a text with something in it", told.err)
  end)

  it("says what it changes", function()
    add("bad.example", { "--yes" })
    assert.matches("It changes indicator 994, which is Block now: t", add("bad.example", { "--dry-run" }).err)
  end)

  it("sends nothing where nobody can be asked, in a dry run, or against a rule", function()
    local told = add "bad.example"
    assert.equal(1, told.status)
    assert.matches("no terminal to ask on", told.err)
    assert.equal(0, add("bad.example", { "--dry-run" }).status)
    told = add("microsoft.com", { "--yes" })
    assert.equal(2, told.status)
    assert.matches("%-%-allow vital_domain", told.err)
    assert.equal(0, active())
    assert.equal(0, add("microsoft.com", { "--yes", "--allow", "vital_domain" }).status)
  end)

  it("deletes by ids", function()
    for _, value in ipairs { "a.example", "b.example" } do add(value, { "--yes" }) end
    local told = run { "delete", "994", "996", "995", "--yes" }
    assert.same({ 2, "994: deleted\n995: deleted\n", 0 }, { told.status, told.out, active() })
    assert.equal(1, run({ "delete", "x", "--yes" }).status)
    told = run({ "delete", "994", "995" }, { "1", "n" })
    assert.matches("type 2, or N", told.err)
    assert.equal("994: would be deleted\n", run({ "delete", "994", "--dry-run" }).out)
  end)

  local function import(text, words, answers)
    local handle = assert(io.open(path, "wb"))
    handle:write(text)
    handle:close()
    table.insert(words, 1, path)
    table.insert(words, 1, "import")
    return run(words, answers)
  end

  local heading = "indicatorValue,indicatorType,action,title,description\n"

  it("imports a file: the good rows, and tells of the others by line", function()
    local text = heading .. "a.example,DomainName,Block,t,d\n*.example,DomainName,Block,t,d\n"
      .. "10.0.0.1,IpAddress,Allowed,t,d\n10.0.0.2,IpAddress,Block,t,d\n"
    local told = import(text, { "--dry-run" })
    assert.same({ 2, 0 }, { told.status, active() })
    assert.matches("line 3: .*has a star", told.err)
    assert.matches("line 5: .*private_address", told.err)
    assert.matches("2 of 4 rows can be sent: 1 Block DomainName, 1 Allowed IpAddress", told.err)
    told = import(text, {}, { "2" })
    assert.same({ 2, 2 }, { told.status, active() })
    assert.equal('994: Block DomainName "a.example"\n995: Allowed IpAddress "10.0.0.1"\n', told.out)
    assert.matches("2 added or changed, 2 not", told.err)
  end)

  it("says of a file how much of it is for all devices, and never ends", function()
    local told = import("indicatorValue,indicatorType,action,title,description,rbacGroupNames,rbacGroupIds,expires_in\n"
      .. "a.example,DomainName,Block,t,d,Laptops,,30d\nb.example,DomainName,Block,t,d,,,\n"
      .. "c.example,DomainName,Block,t,d, ; ,,\nd.example,DomainName,Block,t,d,,140,\n", { "--yes" })
    assert.same({ 2, 3 }, { told.status, active() })
    assert.matches("line 4: rbacGroupNames%[1%] must be a text", told.err)
    assert.matches("3 of 4 rows can be sent: 3 Block DomainName; 1 for all devices, 2 without an end", told.err)
  end)

  it("imports no row whose list of groups is empty", function()
    local told = import('[{"indicatorValue":"a.example","indicatorType":"DomainName","action":"Block","title":"t",'
      .. '"description":"d","rbacGroupNames":[]}]', { "--yes" })
    assert.same({ 2, 0 }, { told.status, active() })
    assert.matches("item 1: rbacGroupNames was given an empty list", told.err)
  end)

  it("imports all of a file that is good", function()
    local told = import(heading .. "a.example,DomainName,Block,t,d\n", { "--yes" })
    assert.same({ 0, 1 }, { told.status, active() })
    assert.matches("1 added or changed, 0 not", told.err)
  end)

  it("imports nothing of a file that has no good row", function()
    local told = import(heading .. "com,DomainName,Block,t,d\n", { "--yes" })
    assert.same({ 2, 0 }, { told.status, #r:posts() })
    assert.matches("Nothing can be sent", told.err)
  end)

  it("tells of rows that the service refuses by line, too", function()
    r.tenant.indicator_book.put = function() return nil, "too many" end
    local told = import(heading .. "com,DomainName,Block,t,d\na.example,DomainName,Block,t,d\n", { "--yes" })
    assert.equal(2, told.status)
    assert.matches("line 3: the service refused it: \"too many\"", told.err)
  end)
end)
