-- A run whose record lies on a disk that is full to its last byte, with the tenant in another process: nothing is sent
-- that is not written, what was sent is not lost, and once there is room mde resume ends it. The disk is a file system
-- in memory, in a namespace of its own, for which one need not be root.
-- Labels: only-lua5.4, long
local cjson = require "cjson"
local commands = require "tests.spec.support.process.command"
local journal = require "mde.journal"
local shell = require "tests.spec.support.process.shell"
local wait_until = require "tests.spec.support.process.wait_until"

local has, has_not = commands.has, commands.has_not
local scene = commands.scene()
local tenant, command, created = scene.tenant, scene.command, scene.created

local COUNT = 40

-- Runs `mde run` with its record on a disk, which is filled when the file `fill` appears or, if that is there already,
-- in the beginning; then the same again with room, as `mde resume` or `mde run`. What is left of the first is copied.
local SCRIPT = [[
place=$1 size=$2 leave=$3 again=$4
mkdir "$place/disk"
mount -t tmpfs -o size="$size" tmpfs "$place/disk" || exit 77
fill() {
  cat /dev/zero >"$place/disk/rest" 2>/dev/null
  [ "$leave" = 0 ] || truncate -s "-$leave" "$place/disk/rest"
  df --output=avail "$place/disk" | tail -n 1 >"$place/available"
}
mde() { lua5.4 lua/mde/cli/mde.lua "$@"; }
. "$place/../env"
if [ -e "$place/fill" ]; then fill; filled=yes; else filled=; fi
mde run --yes --cap 1000 --no-waves --journal "$place/disk/run.db" "$place/contain.lua" >"$place/out" 2>"$place/err" &
running=$!
while [ -z "$filled" ] && kill -0 $running 2>/dev/null; do
  if [ -e "$place/fill" ]; then fill; filled=yes; else sleep 0.02; fi
done
wait $running
status=$?
# Its end is told when all that is looked at then is there.
cp -r "$place/disk" "$place/copy"
echo $status >"$place/status.new"
mv "$place/status.new" "$place/status"
rm "$place/disk/rest"
if [ "$again" = resume ]; then
  mde resume --yes "$place/disk/run.db" >>"$place/out" 2>"$place/again.err"
else
  mde run --yes --cap 1000 --journal "$place/disk/run.db" "$place/contain.lua" >>"$place/out" 2>"$place/again.err"
fi
echo $? >"$place/again.status.new"
mv "$place/again.status.new" "$place/again.status"
]]

local can_mount = os.execute "unshare -rm mount -t tmpfs tmpfs /mnt 2>/dev/null"
if not can_mount then print "no disk was filled: a namespace of one's own cannot be had here (unshare -rm)" end

local function id(i) return ("%040x"):format(0xf000 + i) end

-- The run on its disk. `reason_bytes`: of the reason of each device, which the record keeps; `more_bytes`: of which the
-- plan says nothing.
local function start(options)
  local place = command.directory .. "/full-" .. tostring(math.random(1e9))
  os.execute("mkdir " .. place)
  for i = 1, COUNT do
    tenant.machine { id = id(i), computerDnsName = ("seat-%02d.corp.example"):format(i), osPlatform = "Windows11" }
  end
  shell.write_file(place .. "/contain.lua", ([[
    local mde = require "mde"
    local planned = io.open(%q)
    local bytes = planned and %d or %d
    io.open(%q, "a"):close()
    local suspects = {}
    for machine in mde.machines { computerDnsName = mde.startswith("seat-") } do suspects[#suspects + 1] = machine end
    mde.each(suspects, function(machine)
      return mde.restrict(machine, "beacon", { incident = "INC-12", reason = ("x"):rep(bytes) })
    end)]]):format(place .. "/planned", options.more_bytes or options.reason_bytes or 10,
    options.reason_bytes or 10, place .. "/planned"))
  shell.write_file(place .. "/script", SCRIPT)
  if options.is_full then shell.write_file(place .. "/fill", "") end
  os.execute(("unshare -rm sh %s/script %s %s %d %s >%s/script.out 2>&1 &"):format(place, place, options.size,
    options.leave or 0, options.again, place))
  local running = {}
  function running.fill() shell.write_file(place .. "/fill", "") end
  function running.errors()
    return (shell.read_file(place .. "/err") or "") .. (shell.read_file(place .. "/script.out") or "")
  end
  local function finish(name)
    local status = wait_until(function()
      return tonumber(shell.read_file(("%s/%sstatus"):format(place, name)) or "")
    end, running.errors)
    return status, shell.read_file(("%s/%serr"):format(place, name))
  end
  --- The status and errors of the first, and of the second.
  function running.first() return finish "" end
  function running.again() return finish "again." end
  --- What it has told of results that are not in its record: for each device the outcome.
  function running.unwritten()
    local outcomes = {}
    for line in (shell.read_file(place .. "/out") or ""):gmatch "[^\n]+" do
      local told = cjson.decode(line).unwritten
      if told.device then outcomes[told.device] = told.outcome end
    end
    return outcomes
  end
  function running.available() return tonumber(shell.read_file(place .. "/available")) end
  --- The steps that the first has left in its record.
  function running.steps()
    local file, problem = journal.open(place .. "/copy/run.db")
    if not file then error(problem) end
    local steps = {}
    for step in file:steps() do steps[step.device] = step end
    file:close()
    return steps
  end
  return running
end

local function counts()
  local of = {}
  for _, event in ipairs(created()) do of[event.machine] = (of[event.machine] or 0) + 1 end
  return of
end

local function assert_once()
  local of = counts()
  for i = 1, COUNT do assert.equal(1, of[id(i)], id(i)) end
end

if can_mount then
  describe("a run on a full disk", function()
    for words, case in pairs {
      ["to its last byte"] = { leave = 0, message = "full" },
      ["but for less than what a run needs"] = { leave = 700000, message = "kB are needed" },
    } do
      it("is refused before anything is sent, where it is full " .. words, function()
        local running = start { size = "8m", is_full = true, leave = case.leave, again = "run" }
        local status, err = running.first()
        assert.equal(1, status, err)
        has(err, case.message)
        has(err, "Make room")
        local again, problem = running.again()
        if case.leave == 0 then assert.equal(0, running.available()) end
        assert.equal(0, again, problem)
        has(problem, "is complete: 40 accepted")
        assert_once()
      end)
    end

    -- The answers take a while, so that the disk fills in the middle.
    local function fill_in_the_middle(options)
      tenant.fault { match = { method = "POST", path = "restrictCodeExecution" }, fault = "slow", interval = 0.001,
        count = false }
      options.again = "resume"
      local running = start(options)
      wait_until(function() return #created() >= 2 end, running.errors)
      running.fill()
      local status, err = running.first()
      tenant.clear()
      assert.equal(0, running.available())
      return running, status, err
    end

    for words, bytes in pairs { ["where it fills in the middle"] = 10, ["however much there is of each"] = 20000 } do
      it("is written to its end in the room that it has reserved, " .. words, function()
        local running, status, err = fill_in_the_middle { size = "16m", reason_bytes = bytes }
        assert.equal(0, status, err)
        has(err, "is complete: 40 accepted")
        local steps = running.steps()
        for i = 1, COUNT do assert.equal("accepted", steps[id(i)].outcome) end
        assert.equal(0, (running.again()))
        assert_once()
      end)
    end

    it("sends nothing that is not written, where it needs more than its plan, and is resumed", function()
      local running, status, err = fill_in_the_middle { size = "16m", more_bytes = 60000 }
      assert.equal(4, status, err)
      has(err, "the record of the run cannot be written (full")
      has(err, "mde resume")
      has_not(err, "not known what came of it")
      local sent, steps, unwritten, written = counts(), running.steps(), running.unwritten(), 0
      for i = 1, COUNT do
        local step = steps[id(i)]
        if step then written = written + 1 end
        -- What left stands there, and its end there or among the results.
        assert.equal(sent[id(i)] and "accepted", step and (step.outcome or unwritten[id(i)]), id(i))
      end
      assert.is_true(written >= 2 and written < COUNT, written)
      local again, problem = running.again()
      assert.equal(0, again, problem)
      has(problem, "is complete")
      assert_once()
    end)
  end)
end
