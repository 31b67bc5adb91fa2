-- The lines of a file.
function lines(path)
  local found = {}
  for line in io.lines(path) do found[#found + 1] = line end
  return found
end
