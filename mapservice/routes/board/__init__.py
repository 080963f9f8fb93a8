"""What leaders see: indicators against targets, the adoption map, model sites, work, rollout, reports."""
