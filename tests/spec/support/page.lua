-- A page of the documentation that shows what a test saw, between <!-- NAME --> and <!-- /NAME -->.

local shell = require "tests.spec.support.process.shell"

local page = {}

--- What stands there, which is written anew first if MDE_WRITE_PAGES is set in the environment.
---@param path string
---@param name string
---@param text string what was seen
---@return string shown
function page.shown(path, name, text)
  local whole = shell.read_file(path)
  local before, shown, after = whole:match(("^(.*<!%%-%%- %s %%-%%->\n)(.-)(<!%%-%%- /%s %%-%%->.*)$"):format(name,
    name))
  assert(before, ("%s has no place for the %s"):format(path, name))
  if not os.getenv "MDE_WRITE_PAGES" then return shown end
  shell.write_file(path, before .. text .. after)
  return text
end

return page
