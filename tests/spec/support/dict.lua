-- A shared dict as nginx has them, for clients of one test; its time is the test's own.

---@param now fun(): number
---@return table
return function(now)
  local dict, entries = { writes = 0 }, {}

  local function live(key)
    local entry = entries[key]
    if entry and entry.ends > now() then return entry end
    entries[key] = nil
  end

  local function put(key, value, seconds)
    if dict.broken then return nil, "no memory" end
    assert(type(key) == "string" and type(value) == "string" and seconds > 0)
    entries[key] = { value = value, ends = now() + seconds }
    dict.writes = dict.writes + 1
    return true
  end

  function dict.get(_, key)
    if dict.broken then return nil, "it is broken" end
    local entry = live(key)
    return entry and entry.value
  end

  function dict.safe_set(_, key, value, seconds)
    return put(key, value, seconds)
  end

  function dict.safe_add(_, key, value, seconds)
    if not dict.broken and live(key) then return false, "exists" end
    return put(key, value, seconds)
  end

  function dict.delete(_, key)
    entries[key] = nil
  end

  --- The keys that stand there.
  function dict.keys()
    local keys = {}
    for key in pairs(entries) do
      if live(key) then keys[#keys + 1] = key end
    end
    table.sort(keys)
    return keys
  end

  --- Forgets everything, as a restart does.
  function dict.forget()
    entries = {}
  end

  return dict
end
