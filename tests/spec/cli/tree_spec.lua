-- The modules of one tree are found before all others, whatever its directory is called.
-- Labels: not-lua5.3
local shell = require "tests.spec.support.process.shell"
local tree = require "mde.cli.tree"

local quote = shell.quote

describe("a tree of modules", function()
  local searchers = rawget(package, "searchers") or rawget(package, "loaders")
  local directory, before

  before_each(function()
    before = #searchers
    directory = shell.new_directory() .. '/se;mi? "q" %s'
    os.execute("mkdir -p " .. quote(directory .. "/share/mde_tree/inner"))
  end)

  after_each(function()
    while #searchers > before do table.remove(searchers, 2) end
    for name in pairs(package.loaded) do
      if name:find "^mde_tree" then package.loaded[name] = nil end
    end
    shell.remove(directory)
  end)

  local function write(path, text)
    local file = assert(io.open(directory .. path, "w"))
    file:write(text)
    file:close()
  end

  it("is searched for files and for the init.lua of folders", function()
    write("/share/mde_tree/init.lua", "return 'the folder'")
    write("/share/mde_tree/inner/leaf.lua", "return 'the file'")
    tree(directory .. "/share")
    assert.equal("the folder", require "mde_tree")
    assert.equal("the file", require "mde_tree.inner.leaf")
  end)

  it("goes before what was there", function()
    write("/share/mde_tree/init.lua", "return 'theirs'")
    tree(directory .. "/share")
    os.execute("mkdir -p " .. quote(directory .. "/own/mde_tree"))
    write("/own/mde_tree/init.lua", "return 'ours'")
    tree(directory .. "/own")
    assert.equal("ours", require "mde_tree")
  end)

  it("has modules in C, of which a library may hold several", function()
    local modules = shell.output_of(("realpath %s"):format(quote(shell.build() .. "/"
      .. (rawget(_G, "jit") and "luajit" or "lua" .. _VERSION:match "[%d.]+")))):gsub("%s+$", "")
    os.execute(("mkdir -p %s && cp %s %s"):format(quote(directory .. "/lib/mde"), quote(modules .. "/mde/core.so"),
      quote(directory .. "/lib/mde")))
    tree(directory .. "/share", directory .. "/lib")
    local loader = searchers[2]("mde.core")
    assert.is_function(loader)
    assert.equal("table", type(loader("mde.core")))
    os.execute(("cp %s %s"):format(quote(modules .. "/mde/core.so"), quote(directory .. "/lib/mde.so")))
    os.remove(directory .. "/lib/mde/core.so")
    assert.is_function(searchers[2]("mde.core"))
    assert.is_string(searchers[2]("mde.cores"))
  end)

  it("says where it has looked, and what is wrong with a file", function()
    tree(directory .. "/share", directory .. "/lib")
    local loaded, problem = pcall(require, "mde_tree.absent")
    assert.is_false(loaded)
    assert.truthy(problem:find("no module 'mde_tree.absent' in " .. directory .. "/share", 1, true), problem)
    write("/share/mde_tree/flawed.lua", "return return")
    loaded, problem = pcall(require, "mde_tree.flawed")
    assert.is_false(loaded)
    assert.truthy(problem:find("flawed.lua:1:", 1, true), problem)
  end)
end)
