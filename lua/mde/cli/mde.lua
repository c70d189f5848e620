#!/usr/bin/env lua5.4
-- The `mde` command. It finds the modules that belong to it: in a checkout those that lie beside it, in a tree of
-- LuaRocks (whose own wrapper leaves them out if it was installed with --deps-mode=none) those of that tree. A
-- symbolic link may lead here.
local function places(script)
  local checkout = script:match "^(.*)/mde/cli/mde%.lua$"
  if checkout then return checkout end
  local tree, version = script:match "^(.*)/lib/luarocks/rocks%-([%d.]+)/[^/]+/[^/]+/bin/[^/]+$"
  if tree then return tree .. "/share/lua/" .. version, tree .. "/lib/lua/" .. version end
end

local share, lib = places(arg[0])
if not share then
  local pipe = assert(io.popen(("readlink -f -- '%s'"):format((arg[0]:gsub("'", "'\\''")))))
  share, lib = places((pipe:read("*a"):gsub("\n$", "")))
  pipe:close()
end
if share then dofile(share .. "/mde/cli/tree.lua")(share, lib) end

os.exit(require("mde.cli").run(arg), true)
