-- Has errors.new raise, in this process, unless the error has a code, and one that lua/mde/base/error.md has for its
-- kind if it is one of ours. tests/checks/codes reads the sources for it; this looks at what they do.

local errors = require "mde.base.error"

local root = debug.getinfo(1, "S").source:match "^@(.*)tests/spec/support/codes%.lua$"

local known = {}
for line in io.lines(root .. "lua/mde/base/error.md") do
  local code, kinds = line:match "^| `([%l_]+)` | ([%l_, ]+) |"
  if code then
    known[code] = {}
    for kind in kinds:gmatch "[%l_]+" do known[code][kind] = true end
  end
end

local new = errors.new

function errors.new(fields)
  local code, kind = fields.code, fields.kind
  local own = known[code]
  if type(code) ~= "string" then
    error("an error without a code: " .. tostring(fields.message), 2)
  elseif own and not own[kind] then
    error(("an error of kind %s with the code %s: %s"):format(tostring(kind), code, tostring(fields.message)), 2)
  elseif not own and code:find "^[%l_]+$" and not fields.http_status then
    error(("an error with the unknown code %s: %s"):format(code, tostring(fields.message)), 2)
  end
  return new(fields)
end

return known
