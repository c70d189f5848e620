#!/usr/bin/env lua5.4
-- The `mde` command. It finds the modules that belong to it: in a checkout those that lie beside it, in a tree of
-- LuaRocks (whose own wrapper leaves them out if it was installed with --deps-mode=none) those of that tree.
local checkout = arg[0]:match "^(.*)/mde/cli/mde%.lua$"
local tree, version = arg[0]:match "^(.*)/lib/luarocks/rocks%-([%d.]+)/[^/]+/[^/]+/bin/[^/]+$"
local root = checkout or tree and tree .. "/share/lua/" .. version
if root then package.path = root .. "/?.lua;" .. root .. "/?/init.lua;" .. package.path end
if tree then package.cpath = tree .. "/lib/lua/" .. version .. "/?.so;" .. package.cpath end

os.exit(require("mde.cli").run(arg), true)
