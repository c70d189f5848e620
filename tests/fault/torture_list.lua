-- mde.read_list: a list with a heading, notes and identities, and one that is refused.

local mde = require "mde"

local path = os.tmpname()

local function write(text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

write "# x\nDeviceId,Note,fqdn\n1f00000000000000000000000000000000000017,\"a\nb\",laptop-17\n,,laptop-18 # seen\n"

return function()
  local list, problem = mde.read_list(path)
  if not list then return nil, problem end
  if #list ~= 2 or #list.remarks ~= 3 or tostring(list[1]):sub(-11) ~= "(laptop-17)" then return nil, "it is wrong" end
  local none
  none, problem = mde.read_list(path, { column = "box" })
  if none or problem.kind ~= "invalid" then return nil, problem or "it is wrong" end
  return true
end
