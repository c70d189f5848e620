rockspec_format = "3.0"
package = "mde"
version = "scm-1"
source = {
  url = "git+https://example.org/mde.git",
}
description = {
  summary = "Contain a compromised device through Microsoft Defender for Endpoint",
  detailed = [[
    Restricts a device to Microsoft-signed code and releases it again, with everything that a script run
    at three in the morning should not have to think about. Brings a simulated tenant to rehearse in.
  ]],
  license = "MIT",
}
dependencies = {
  "lua >= 5.1, < 5.6",
  "lua-cjson",
  "argparse",
}
test = {
  type = "command",
  script = "tests/luarocks.lua",
}
build = {
  type = "cmake",
  variables = {
    CC = "$(CC)",
    CMAKE_C_FLAGS = "$(CFLAGS)",
    LIBFLAG = "$(LIBFLAG)",
    LUA_INCDIR = "$(LUA_INCDIR)",
    LIBDIR = "$(LIBDIR)",
    LUADIR = "$(LUADIR)",
  },
  install = {
    bin = { mde = "lua/mde/cli/mde.lua" },
  },
}
