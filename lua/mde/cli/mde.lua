#!/usr/bin/env lua5.4
-- The `mde` command; in a checkout it finds the modules that lie beside it.
local root = arg[0]:match "^(.*)/mde/cli/mde%.lua$"
if root then package.path = root .. "/?.lua;" .. root .. "/?/init.lua;" .. package.path end

os.exit(require("mde.cli").run(arg), true)
