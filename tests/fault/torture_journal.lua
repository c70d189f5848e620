-- mde.journal, opened and used: a journal is made, filled within a transaction, read, copied and finished.

local shell = require "tests.spec.support.process.shell"

local directory = shell.new_directory_in_memory()
local path, copy = directory .. "/run.db", directory .. "/copy.db"
local DIGEST, ID = ("d"):rep(32), ("a"):rep(40)

local function fill(file)
  if not file:begin() then return nil, "it does not begin" end
  local session = file:begin_session { began = 1, host = "soc1", pid = 1, mde = "0.1.0", digest = DIGEST }
  file:device { id = ID, name = "laptop-1" }
  file:asked("laptop-1", ID)
  file:planned(ID, "restrict", "INC-1")
  local done, problem = file:commit()
  if not done then return nil, problem end
  local step
  step, problem = file:sending { session = session, device = ID, verb = "restrict", operation = "op", comment = "why",
    arguments = "{}", at = 2 }
  if not step then return nil, problem end
  return file:result { step = step, outcome = "accepted", answered = 3, row = ("r"):rep(3000) }
end

local function read(file)
  local count = 0
  for step in assert(file:steps()) do
    if #step.row == 3000 then count = count + 1 end
  end
  if count ~= 1 or file:find_asked "laptop-1" ~= ID or not file:run() then return nil, "it is wrong" end
  return file:copy(copy)
end

local function use(journal)
  local file, problem = journal.create(path, { id = "run", verb = "run", tenant = "corp.example", client = "made up",
    base_url = "https://api.example", playbook = "contain.lua", text = "print(1)", digest = DIGEST, arguments = "[]",
    settings = "{}", made = 1 })
  if not file then return nil, problem end
  local done
  done, problem = fill(file)
  if done then done, problem = read(file) end
  if done then done, problem = file:finish() end
  file:close()
  return done, problem
end

return function()
  -- A journal that was half made deletes its file when it is collected.
  collectgarbage()
  for _, name in ipairs { path, path .. "-journal", copy } do os.remove(name) end
  os.execute("mkdir -p " .. directory)
  package.loaded["mde.journal"] = nil
  local done, problem = use(require "mde.journal")
  for _, name in ipairs { path, copy, directory } do os.remove(name) end
  return done, problem
end
