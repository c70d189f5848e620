-- The table of response actions that the client goes by, and the tenant's: written apart, and compared here. Whatever
-- one value of either becomes shows, unless the other table has nothing to compare it with; which those are, and what
-- tests them, is said here.

local copy = require "mde.sim.base.copy"
local core = require "mde.core"
local limits = require "mde.sim.model.limits"
local responses = require "mde.sim.model.responses"

-- ---- what one of them has alone

-- Requests that the client does not make.
local of_tenant_alone = {
  offboard = "nothing takes it back, and the device is out of sight from then on",
  startInvestigation = "the service has retired it",
}

-- Roles that cancel what the client does not make.
local roles_of_others = { ["Machine.Offboard"] = true, ["Machine.LiveResponse"] = true }

-- Where the service has no default and the client has one.
local chosen = { ScanType = "a quick scan costs the device least" }

-- Versions that one page of the documents asks for and another does not: the tenant is the stricter.
local strict = { selective_windows10 = "1709", scan_linux = "101.98.84" }

-- Servers that the pages of one product name and those of the other do not.
local servers_unsaid = { collect = "its page names no system any more" }

-- Columns of the client's that the tenant's table cannot tell, and what tests them.
local of_core_alone = {
  opposite = "tests/spec/action/response_walk_spec.lua", holds = "the same", state = "the same", changing = "the same",
  is_capped = "the same", wait_seconds = "tests/core/test_response_actions.c", offline_seconds = "the same",
  summary = "it is for people",
}

-- ---- comparing

local prefix_of = { acts = "machines/{id}/", records = "machines/{id}/", follows = "machineactions/{id}/" }
local duplicate_of = { either = "as_set", uncertain = "as_set", refused = "refused" }
local kind_of = { word = "value", text = "text", sha1 = "sha1" }

local usual = limits.new({}).allowed

local function sorted(set)
  local list = {}
  for name in pairs(set) do list[#list + 1] = tostring(name) end
  table.sort(list)
  return table.concat(list, " ")
end

local function set_of(list)
  local set = {}
  for _, name in ipairs(list or {}) do set[name] = true end
  return set
end

-- The rows of the client by their paths, which two may share.
local function by_path(own)
  local paths = {}
  for _, name in ipairs(own) do
    local row = own[name]
    paths[row.path] = paths[row.path] or {}
    table.insert(paths[row.path], row)
  end
  return paths
end

-- Compares the rows of one path with that of the tenant, and says what differs by `differ(what, ours, theirs)`.
local function compare_fields(rows, theirs, differ)
  local values, fields, kinds = {}, {}, {}
  for _, field in ipairs(theirs.fields) do kinds[field.name] = field.kind end
  for _, row in ipairs(rows) do
    differ("comment", row.has_comment, kinds.Comment == "text")
    for _, field in ipairs(row.fields) do
      differ("kind of " .. field.name, kind_of[field.kind], kinds[field.name])
      values[field.name] = values[field.name] or {}
      for _, word in ipairs(field.words) do values[field.name][word] = true end
      if field.value then values[field.name][field.value] = true end
      fields[field.name] = field.option and field or fields[field.name] or field
    end
    if row.has_comment then fields.Comment = { kind = "text" } end
  end
  local known = {}
  for _, field in ipairs(theirs.fields) do
    local name = field.name
    local own = fields[name]
    known[name] = true
    differ("required or default of " .. name, field.required, field.default == nil)
    if own then
      if field.kind == "value" then differ("values of " .. name, sorted(values[name]), sorted(set_of(field.values))) end
      if own.option and not chosen[name] then differ("default of " .. name, own.value, field.default) end
      if chosen[name] then differ("default of " .. name, true, own.value ~= nil and field.default == nil) end
      if field.kind == "value" and own.value then
        differ("value of " .. name, true, set_of(field.values)[own.value] or false)
      end
    end
  end
  differ("fields", sorted(fields), sorted(known))
end

-- What the actions of the rows may differ in, and the values that make none of it.
local function compare_subject(row, theirs, differ)
  local field = row.fields[1]
  if row.subject then
    differ("subject", row.subject == "scope" and field.name, theirs.scope or false)
    differ("file", row.subject == "file" and field.name, theirs.file or false)
  elseif theirs.scope then
    differ("value without a scope", sorted { [field.value] = true }, theirs.without_scope
      and theirs.without_scope[field.value] and sorted(theirs.without_scope))
  else
    differ("file", false, theirs.file or false)
  end
  differ("values without a scope", theirs.without_scope ~= nil and theirs.scope ~= nil, theirs.without_scope ~= nil)
end

-- Whether the devices are said to be the same, as far as the words of one tell.
local function compare_devices(row, theirs, differ)
  local text = row.platforms
  if theirs.onboarded then
    local count = 0
    for _, field in ipairs(row.fields) do
      for _, value in ipairs(field.option and field.words or { field.value }) do
        differ("onboarded for " .. value, not row.is_unmanaged, theirs.onboarded[value])
      end
    end
    for value in pairs(theirs.onboarded) do
      count = count + 1
      differ("onboarded of a value", true, set_of(theirs.fields[2].values)[value] or false)
    end
    differ("values that ask for onboarding", #theirs.fields[2].values, count)
  end
  if row.is_unmanaged then
    differ("carried out by others", true, theirs.around or false)
    differ("devices", true, text:find("not onboarded", 1, true) ~= nil)
    return
  end
  differ("any device", text == "any", theirs.platforms == nil)
  local platforms = theirs.platforms
  if not platforms then return end
  local function says(words) return text:find(words, 1, true) ~= nil end
  differ("Windows 10", text:match "Windows 10 version (%d+)", platforms.Windows10 and platforms.Windows10.version)
  differ("Windows 11", says "Windows 11", platforms.Windows11 ~= nil)
  differ("Linux", says "Linux", platforms.Linux ~= nil)
  differ("macOS", says "macOS", platforms.macOS ~= nil)
  differ("macOS client", text:match "macOS client ([%d.]*%d)", platforms.macOS and platforms.macOS.agentVersion)
  if not servers_unsaid[row.name] then
    differ("servers", says "Windows Server", platforms.WindowsServer2019 ~= nil)
    differ("older servers", says "Windows Server 2012 R2", platforms.WindowsServer2012R2 ~= nil)
  end
  if row.name == "scan" then differ("Linux client", strict.scan_linux, platforms.Linux.agentVersion) end
  if theirs.platforms_of and not row.is_unmanaged then
    local in_part = theirs.platforms_of.Selective
    differ("Selective on Windows 10", strict.selective_windows10, in_part.Windows10.version)
    differ("Selective on macOS", platforms.macOS.agentVersion, in_part.macOS.agentVersion)
    differ("Selective without Linux", says "Selective: the same without Linux", in_part.Linux == nil
      and in_part.Windows11 ~= nil)
  end
end

local function compare_roles(row, theirs, differ)
  local roles = {}
  if theirs.role_of_type then
    for _, verb in ipairs(core.response_actions) do
      local other = core.response_actions[verb]
      if other.kind == "acts" then roles[other.permission] = true end
    end
    for role in pairs(roles_of_others) do roles[role] = true end
  else
    for role in (row.permission .. " or "):gmatch "(.-) or " do roles[role] = true end
  end
  differ("permission of the type", row.permission == "that of the action", theirs.role_of_type or false)
  differ("permission", sorted(roles), sorted(set_of(theirs.roles)))
end

-- The first page that a source names.
local function page_of(source)
  return source:match "%l[%l%-]+%l" or "?"
end

-- The row for many machines: that for one, with their ids.
local function compare_many(row, tenant, differ)
  local one, many
  for _, theirs in ipairs(tenant) do
    if theirs.name == row.path then one = theirs end
    if theirs.name == row.many_path then many = theirs end
  end
  differ("row for many", row.many_path ~= nil, many ~= nil)
  if not many then
    differ("how many", 0, row.many)
    return
  end
  local ids = many.fields[#many.fields]
  differ("path for many", "machines/" .. row.many_path, many.path)
  differ("how many", row.many, ids.most)
  differ("ids", "ids MachineIds", ids.kind .. " " .. ids.name)
  differ("ids are required", true, ids.required)
  differ("fields for many", #one.fields + 1, #many.fields)
  for i, field in ipairs(one.fields) do
    for _, column in ipairs { "name", "kind", "required" } do
      differ("field for many: " .. column, field[column], many.fields[i][column])
    end
    differ("field for many: values", sorted(set_of(field.values)), sorted(set_of(many.fields[i].values)))
  end
  for _, column in ipairs { "method", "status", "type", "duplicate" } do
    differ("for many: " .. column, one[column], many[column])
  end
  differ("permission for many", sorted(set_of(one.roles)), sorted(set_of(many.roles)))
  differ("source for many", true, row.source:find(page_of(many.source:match "; ([^;]*)$" or ""), 1, true) ~= nil)
end

-- What the two tables do not agree on, one line each.
local function differences(own, tenant)
  local list, used = {}, {}
  for path, rows in pairs(by_path(own)) do
    local theirs
    for _, row in ipairs(tenant) do
      if row.name == path then theirs = row end
    end
    local name
    local function differ(what, ours, other)
      if ours ~= other then
        list[#list + 1] = ("%s: %s: %s, and the tenant has %s"):format(name or path, what, tostring(ours),
          tostring(other))
      end
    end
    differ("row", true, theirs ~= nil)
    if not theirs then return list end
    used[path] = true
    compare_fields(rows, theirs, differ)
    for _, row in ipairs(rows) do
      name = row.name
      local is_told = row.has_comment or #row.fields > 0
      differ("name", own[name], row)
      differ("path", (prefix_of[row.kind] or "?") .. path, theirs.path)
      differ("method", is_told and "POST" or "GET", theirs.method)
      differ("type", row.type, theirs.type)
      differ("makes an action", row.kind == "acts", theirs.type ~= nil)
      differ("status", row.kind == "acts" and 201 or 200, theirs.status)
      differ("kept", nil, theirs.replacement)
      for window, count in pairs(usual) do
        differ(window, row[window], theirs.limits and theirs.limits[window] or count)
      end
      if row.kind == "acts" then
        differ("duplicate", duplicate_of[row.duplicate], theirs.duplicate)
      else
        differ("duplicate", nil, theirs.duplicate)
        differ("duplicate", name == "cancel" and "refused" or "applies", row.duplicate)
      end
      compare_roles(row, theirs, differ)
      compare_subject(row, theirs, differ)
      compare_devices(row, theirs, differ)
      compare_many(row, tenant, differ)
      if row.many_path then used[row.many_path] = true end
      differ("source", true, theirs.source:find(page_of(row.source), 1, true) ~= nil)
    end
  end
  for _, row in ipairs(tenant) do
    if not used[row.name] and not of_tenant_alone[row.name] then
      list[#list + 1] = row.name .. ": the client lacks it"
    end
  end
  return list
end

-- ---- changing one value

-- Another value of the same type.
local function other_than(value)
  if type(value) == "boolean" then return not value end
  if type(value) == "number" then return value + 1 end
  return "other " .. value:reverse()
end

-- Calls visit(where) with each value below a table changed in turn, and changed back.
local function with_each_changed(place, where, visit)
  local names = {}
  for name in pairs(place) do names[#names + 1] = name end
  for _, name in ipairs(names) do
    local value = place[name]
    if type(value) == "table" then
      with_each_changed(value, where .. "." .. tostring(name), visit)
    elseif type(value) ~= "function" then
      place[name] = other_than(value)
      visit(where .. "." .. tostring(name), name)
      place[name] = value
    end
  end
end

-- A copy of the client's table without its functions.
local function copy_of_own()
  local own = {}
  for i, name in ipairs(core.response_actions) do
    own[i], own[name] = name, {}
    for column, value in pairs(core.response_actions[name]) do
      if column ~= "fields" then own[name][column] = value end
    end
    own[name].fields = {}
    for j, field in ipairs(core.response_actions[name].fields) do
      own[name].fields[j] = { name = field.name, option = field.option, kind = field.kind, value = field.value,
        words = copy.deep(field.words) }
    end
  end
  return own
end

describe("the two tables of response actions", function()
  it("agree", function()
    assert.same({}, differences(core.response_actions, responses.rows))
  end)

  it("have a row for all that the other has, or a reason for none", function()
    local names = {}
    for _, row in ipairs(responses.rows) do names[row.name] = true end
    for name in pairs(of_tenant_alone) do
      assert.truthy(names[name], name)
      assert.is_nil(by_path(core.response_actions)[name], name)
      for _, own in ipairs(core.response_actions) do
        assert.are_not.equal(name, core.response_actions[own].many_path)
      end
    end
    for path in pairs(by_path(core.response_actions)) do
      assert.truthy(names[path], path)
    end
  end)

  it("say where each row comes from", function()
    for _, name in ipairs(core.response_actions) do
      assert.matches("^%l[%l%-]+", core.response_actions[name].source, nil, name)
    end
    for _, row in ipairs(responses.rows) do assert.matches("%d.*; .*%l%-%l", row.source, nil, row.name) end
  end)

  it("differ once a value of the client's is another", function()
    local own, unseen = copy_of_own(), {}
    -- What options are called is the caller's side, which the tenant does not see.
    local function is_own(name) return of_core_alone[name] or name == "option" end
    for _, row in ipairs(own) do
      with_each_changed(own[row], row, function(where, name)
        if not is_own(name) and not differences(own, responses.rows)[1] then unseen[#unseen + 1] = where end
      end)
    end
    table.sort(unseen)
    assert.same({}, unseen)
    assert.same({}, differences(own, responses.rows))
  end)

  it("differ once a value of the tenant's is another", function()
    local tenant, unseen = copy.deep(responses.rows), {}
    for _, row in ipairs(tenant) do
      if not of_tenant_alone[row.name] then
        with_each_changed(row, row.name, function(where)
          if not differences(core.response_actions, tenant)[1] then unseen[#unseen + 1] = where end
        end)
      end
    end
    table.sort(unseen)
    assert.same({}, unseen)
  end)

  it("differ once one lacks a row", function()
    local own, tenant = copy_of_own(), copy.deep(responses.rows)
    assert.equal("setDeviceValue", table.remove(tenant).name)
    assert.matches("row: true, and the tenant has false", differences(core.response_actions, tenant)[1])
    table.remove(own)
    assert.same({ "setDeviceValue: the client lacks it" }, differences(own, responses.rows))
  end)
end)
