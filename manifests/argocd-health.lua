-- Health of a FeedbackLoop for Argo CD (argocd-cm: resource.customizations.health.feedbackloop.dev_FeedbackLoop).
-- Argo CD knows kstatus only for kinds it was told about; this says the same in its words.
local function condition(name)
  for _, found in ipairs((obj.status or {}).conditions or {}) do
    if found.type == name then return found end
  end
end

local observed = (obj.status or {}).observedGeneration
if observed == nil or observed < (obj.metadata.generation or 0) then
  return {status = "Progressing", message = "waiting for the operator"}
end

local stalled, ready = condition("Stalled"), condition("Ready")
if stalled ~= nil and stalled.status == "True" then
  return {status = "Degraded", message = stalled.reason .. ": " .. (stalled.message or "")}
end
if ready == nil then
  return {status = "Progressing", message = "waiting for the operator"}
end
if ready.status == "True" and ready.reason == "Suspended" then
  return {status = "Suspended", message = ready.message}
end
if ready.status == "True" then
  return {status = "Healthy", message = ready.message}
end
return {status = "Progressing", message = ready.reason .. ": " .. (ready.message or "")}
