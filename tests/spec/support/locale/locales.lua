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

--- Makes those that a folder of the build does not have yet, for every Lua; raises where that cannot be done.
---@return string folder for LOCPATH
function locales.make()
  local folder = (os.getenv "MDE_BUILD" or "./build") .. "/locales/spec"
  run("mkdir -p " .. shell.quote(folder))
  local wanted = { locales.wide }
  for _, name in ipairs(locales.names) do wanted[#wanted + 1] = name end
  for _, name in ipairs(wanted) do
    local definition, charset = name:match "^(.-)%.(.*)$"
    -- Under a name of its own until it is whole, since another Lua may look for it.
    run(([[cd %s && { [ -d %s ] || { own=$(mktemp -d new.XXXXXX) && localedef -i %s -f %s "$PWD/$own/%s" &&
      { mv -T "$own/%s" %s || [ -d %s ]; } && rm -rf "$own"; }; }]]):format(shell.quote(folder), name, definition,
      charset, name, name, name, name))
  end
  return folder
end

return locales
