-- tests/checks/specs: it passes for the project, and in a copy of it names what is missing in a layer that is complete.
-- Labels: only-lua5.4

local shell = require "tests.spec.support.process.shell"

describe("the check of the specs", function()
  local directory

  before_each(function()
    directory = shell.new_directory()
    os.execute(("cp -r lua src '%s' && mkdir -p '%s/tests/fuzz' && cp tests/fuzz/*.c '%s/tests/fuzz'")
      :format(directory, directory, directory))
    os.execute(("cp -r tests/checks tests/core tests/hosts tests/spec '%s/tests'"):format(directory))
    os.execute(("rm -rf '%s'/lua/mde/sync/* '%s'/tests/spec/sync"):format(directory, directory))
  end)

  after_each(function() shell.remove(directory) end)

  local function put(path, text)
    os.execute(("cd '%s' && mkdir -p \"$(dirname %s)\""):format(directory, path))
    shell.write_file(directory .. "/" .. path, text or "-- made up\n")
  end

  -- Runs it where these layers are complete.
  local function run(complete, arguments)
    local check = directory .. "/tests/checks/specs"
    local text, changed = shell.read_file(check)
      :gsub("\nlocal complete = %b{}\n", ("\nlocal complete = { %s }\n"):format(complete))
    assert.equal(1, changed)
    shell.write_file(check, text)
    local output = shell.output_of(("cd '%s' && lua5.4 tests/checks/specs %s 2>complaints; echo \"status $?\"")
      :format(directory, arguments or ""))
    return tonumber(output:match "status (%d+)"), output:gsub("status %d+\n$", ""),
      shell.read_file(directory .. "/complaints")
  end

  it("passes for the project", function()
    assert.matches("status 0", shell.output_of "lua5.4 tests/checks/specs; echo \"status $?\"")
  end)

  it("fails for a file without a spec, and for a spec without a file, where a layer is complete", function()
    put "lua/mde/sync/mutex.lua"
    put "lua/mde/sync/queue.lua"
    put "tests/spec/sync/mutex_spec.lua"
    put "tests/spec/sync/mutexes_spec.lua"
    local status, output, complaints = run "sync = true"
    assert.equal(1, status)
    assert.equal("lua/mde/sync/queue.lua has no spec: tests/spec/sync/queue_spec.lua\n"
      .. "tests/spec/sync/mutexes_spec.lua belongs to no file\n", complaints)
    assert.matches("sync +2 files, complete", output)
  end)

  it("wants no spec of a file that is about types alone", function()
    put "lua/mde/sync/mutex.lua"
    put "tests/spec/sync/mutex_spec.lua"
    put("lua/mde/sync/types.lua", "---@meta mde.sync.types\n")
    local status, output, complaints = run "sync = true"
    assert.equal(0, status, complaints)
    assert.matches("sync +1 files, complete", output)
  end)

  it("only prints them where it is not", function()
    put "lua/mde/sync/mutex.lua"
    local status, output, complaints = run ""
    assert.equal(0, status)
    assert.equal("", complaints)
    assert.matches("sync +1 files, 1 to do\n  lua/mde/sync/mutex.lua has no spec", output)
  end)

  it("takes several specs of one file, that of a longer name first", function()
    for _, path in ipairs { "lua/mde/sync/lock.lua", "lua/mde/sync/lock_file.lua", "tests/spec/sync/lock_spec.lua",
      "tests/spec/sync/lock_fork_spec.lua", "tests/spec/sync/lock_file_fork_spec.lua" } do put(path) end
    local _, output = run("sync = true", "lua/mde/sync/lock.lua")
    assert.equal("tests/spec/sync/lock_fork_spec.lua\ntests/spec/sync/lock_spec.lua\n", output)
    local status, _, complaints = run "sync = true"
    assert.equal("0", tostring(status), complaints)
  end)

  it("fails for a layer that is not there", function()
    local status, _, complaints = run "sink = true"
    assert.equal(1, status)
    assert.equal("there is no layer sink\n", complaints)
  end)

  it("knows what tests the core and the drivers", function()
    assert.equal("tests/core/test_token.c\ntests/fuzz/fuzz_token.c\n", (select(2, run("", "src/core/token.h"))))
    assert.equal("tests/hosts/luv_spec.lua\n", (select(2, run("", "lua/mde/driver/luv.lua"))))
    assert.equal("tests/spec/checks/layers_spec.lua\n", (select(2, run("", "tests/checks/layers"))))
  end)
end)
