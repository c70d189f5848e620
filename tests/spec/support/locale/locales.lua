-- Locales of our own, made by localedef, so that it does not matter which ones the machine has.

local shell = require "tests.spec.support.process.shell"

local locales = {}

--- Those whose letters, order or numbers are others than those of C.
locales.names = { "tr_TR.UTF-8", "tr_TR.ISO-8859-9", "de_DE.UTF-8", "de_DE.ISO-8859-1" }

--- Whose decimal point has two bytes.
locales.wide = "ps_AF.UTF-8"

local function run(line)
  local said = shell.output_of(line .. " 2>&1; echo \"exit $?\"")
  if not said:find "exit 0\n$" then error(line .. ": " .. said, 0) end
end

--- Makes them in a folder of the build; raises where that cannot be done.
---@return string folder for LOCPATH
function locales.make()
  local folder = ("%s/locales/%s"):format(os.getenv "MDE_BUILD" or "./build", os.getenv "MDE_LUA" or "lua5.4")
  local wanted = { locales.wide }
  for _, name in ipairs(locales.names) do wanted[#wanted + 1] = name end
  run(("rm -rf %s && mkdir -p %s"):format(shell.quote(folder), shell.quote(folder)))
  for _, name in ipairs(wanted) do
    local definition, charset = name:match "^(.-)%.(.*)$"
    run(("localedef -i %s -f %s %s"):format(definition, charset, shell.quote(folder .. "/" .. name)))
  end
  return folder
end

return locales
