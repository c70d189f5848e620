-- The script that runs the command: it finds its modules, wherever it is called, and ends with the command's status.
-- Labels: only-lua5.4
local shell = require "tests.spec.support.process.shell"

local quote = shell.quote

describe("the script of the command", function()
  local root = shell.output_of("pwd"):gsub("%s+$", "")
  local modules = shell.output_of(("realpath %s"):format(quote(shell.build() .. "/lua5.4"))):gsub("%s+$", "")
  local directory

  before_each(function() directory = shell.new_directory() end)

  after_each(function() shell.remove(directory) end)

  -- Calls it elsewhere, where Lua is told of nothing but `modules`; what it writes, and its status.
  local function run(script, arguments, cpath)
    local output = shell.output_of(([[cd %s
      env -u LUA_PATH -u LUA_CPATH -u LUA_PATH_5_4 -u MDE_LOG LUA_CPATH_5_4=%s lua5.4 %s %s 2>&1; echo "status $?"]])
      :format(quote(directory), quote(cpath or ";;"), quote(script), arguments))
    return output:gsub("status %d+\n$", ""), tonumber(output:match "status (%d+)\n$")
  end

  it("finds the modules beside it in a checkout", function()
    local output, status = run(root .. "/lua/mde/cli/mde.lua", "restrict --help", modules .. "/?.so;;")
    assert.equal(0, status, output)
    assert.truthy(output:find("Usage: mde restrict", 1, true), output)
  end)

  it("finds the modules of its tree of LuaRocks, Lua's and C's", function()
    local script = directory .. "/tree/lib/luarocks/rocks-5.4/mde/scm-1/bin/mde"
    os.execute(([[cd %s && mkdir -p "$(dirname %s)" tree/share/lua/5.4 tree/lib/lua/5.4
      cp %s/lua/mde/cli/mde.lua %s && cp -r %s/lua/mde tree/share/lua/5.4 && cp -r %s/mde tree/lib/lua/5.4]])
      :format(quote(directory), quote(script), quote(root), quote(script), quote(root), quote(modules)))
    local output, status = run(script, "restrict --help")
    assert.equal(0, status, output)
    assert.truthy(output:find("Usage: mde restrict", 1, true), output)
  end)

  it("is found by a symbolic link, and in a directory of any name", function()
    os.execute(([[cd %s && mkdir -p 'it'\''s a;b?' && cp -r %s/lua 'it'\''s a;b?' && cd 'it'\''s a;b?' &&
      ln -s lua/mde/cli/mde.lua 'a link' && ln -s 'a link' mde]]):format(quote(directory), quote(root)))
    local output, status = run(directory .. "/it's a;b?/mde", "restrict --help", modules .. "/?.so;;")
    assert.equal(0, status, output)
    assert.truthy(output:find("Usage: mde restrict", 1, true), output)
  end)

  it("hands the words on, and ends with the status", function()
    local output, status = run(root .. "/lua/mde/cli/mde.lua", "restrct laptop-17", modules .. "/?.so;;")
    assert.equal(1, status)
    assert.truthy(output:find("Did you mean 'restrict'?", 1, true), output)
  end)
end)
