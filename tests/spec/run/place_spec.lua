-- Where the records of runs lie, and what stands beside each.
local environment = require "tests.spec.support.environment"
local place = require "mde.run.place"
local shell = require "tests.spec.support.process.shell"

local ID = "20260203T031500Z-7f3a"

local function with(variables, fn)
  environment.set(variables)
  local ok, problem = pcall(fn)
  environment.restore()
  if not ok then error(problem, 0) end
end

describe("the directory of runs", function()
  for _, case in ipairs {
    { { XDG_STATE_HOME = "/state", HOME = "/home/a" }, "/state/mde/runs" },
    { { HOME = "/home/a" }, "/home/a/.local/state/mde/runs" },
    -- A relative one is to be ignored: the XDG specification.
    { { XDG_STATE_HOME = "state", HOME = "/home/a" }, "/home/a/.local/state/mde/runs" },
  } do
    it("is " .. case[2], function()
      with(case[1], function() assert.equal(case[2], (place.directory())) end)
    end)
  end

  it("is unknown without HOME, which is said", function()
    with({}, function()
      local path, err = place.directory()
      assert.is_nil(path)
      assert.equal("no_state_directory", err.code)
      assert.equal(err.code, select(2, place.record_of(ID)).code)
      -- A path needs no directory.
      assert.equal("here.db", place.record_of "here.db")
      assert.equal("here.db", place.name_of "here.db")
    end)
  end)
end)

describe("a run whose record lies elsewhere", function()
  local state, directory

  before_each(function()
    state = shell.new_directory()
    directory = state .. "/mde/runs"
    os.execute(("mkdir -p %s %s/else"):format(directory, state))
    environment.set { XDG_STATE_HOME = state }
  end)
  after_each(function()
    environment.restore()
    shell.remove(state)
  end)

  local function record(path)
    shell.write_file(path, "a record")
    return path
  end

  it("is found by its id and called by it, however its path is written", function()
    local path = record(state .. "/else/tonight\n.plan")
    assert.equal(path, place.name_of(path, ID))
    assert(place.point(ID, state .. "/else/../else/tonight\n.plan"))
    assert.equal("600", shell.output_of(("stat -c %%a %s/%s.path"):format(directory, ID)):match "%d+")
    local found = place.record_of(ID)
    assert.equal(require("mde.posix").directory.absolute(path), found)
    for _, same in ipairs { path, found, state .. "/else//tonight\n.plan" } do
      assert.equal(ID, place.name_of(same, ID))
      assert.equal(same, place.name_of(same))
      assert.equal(same, place.name_of(same, "20260203T031500Z-0000"))
    end
    assert.same({ found }, { place.pointer_of(ID), place.pointer_of "20260203T031500Z-0000", place.pointer_of "x" })
    assert.equal(ID, place.pointed(ID .. ".path"))
    for _, name in ipairs { ID, ID .. ".db", "notes.path", ID .. ".path.old" } do assert.is_nil(place.pointed(name)) end
  end)

  it("is found where it was noted last", function()
    assert(place.point(ID, record(state .. "/else/a.plan")))
    local other = record(state .. "/else/b.plan")
    assert(place.point(ID, other))
    assert.equal(ID, place.name_of(other, ID))
    assert.matches("/else/b%.plan$", (place.record_of(ID)))
  end)

  it("is told as moved where its record is not there any more", function()
    local path = record(state .. "/else/a.plan")
    assert(place.point(ID, path))
    os.remove(path)
    local found, err = place.record_of(ID)
    assert.is_nil(found)
    assert.equal("run_moved", err.code)
    assert.matches("/else/a.plan\", which is not there any more", err.message, 1, true)
  end)

  it("does not hide one that lies in the directory of all", function()
    local own = record(("%s/%s.db"):format(directory, ID))
    assert(place.point(ID, own))
    assert.is_nil(io.open(("%s/%s.path"):format(directory, ID)))
    local copy = record(state .. "/else/copy.db")
    assert(place.point(ID, copy))
    assert.equal(own, place.record_of(ID))
    assert.equal(copy, place.name_of(copy, ID))
  end)

  it("is called by its path where it cannot be noted, which is said", function()
    local path = record(state .. "/else/a.plan")
    os.execute(("mkdir %s/%s.path"):format(directory, ID))
    local noted, err = place.point(ID, path)
    assert.is_nil(noted)
    assert.equal("run_not_listed", err.code)
    assert.equal(path, place.name_of(path, ID))
    assert.equal("run_not_listed", select(2, place.point(ID, state .. "/none/a.plan")).code)
  end)

  it("is not found by a file that says nothing of use", function()
    for _, text in ipairs { "", "relative\n", "/cut", "\n" } do
      shell.write_file(("%s/%s.path"):format(directory, ID), text)
      assert.equal(("%s/%s.db"):format(directory, ID), place.record_of(ID))
    end
  end)
end)

describe("a run", function()
  it("has an id of its time and of chance", function()
    local ids, count = {}, 0
    for _ = 1, 20 do
      local id = assert(place.new_id(1770088500.75))
      assert.matches("^20260203T031500Z%-%x%x%x%x$", id)
      if not ids[id] then count = count + 1 end
      ids[id] = true
    end
    assert.is_true(count > 15)
  end)

  it("is called by its id where it lies among all, else by its path", function()
    with({ XDG_STATE_HOME = "/state" }, function()
      local path = "/state/mde/runs/" .. ID .. ".db"
      assert.equal(path, place.record_of(ID))
      assert.equal(ID, place.name_of(path))
      for _, other in ipairs { "/elsewhere/" .. ID .. ".db", "/state/mde/runs/plan.db", "/state/mde/runs/" .. ID,
        "/state/mde/runs/below/" .. ID .. ".db", "./" .. ID .. ".db" } do
        assert.equal(other, place.name_of(other))
        assert.equal(other, place.record_of(other))
      end
    end)
  end)

  it("has its lock and its stop file beside it", function()
    assert.equal("a/run.lock", place.lock_of "a/run.db")
    assert.equal("a/run.stop", place.stop_of "a/run.db")
    assert.equal("a/plan.lock", place.lock_of "a/plan")
  end)
end)
