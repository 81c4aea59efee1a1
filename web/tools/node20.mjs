// vitest prints failures with Map.groupBy, which Node 20 lacks.
Map.groupBy ??= (items, key) => {
  const groups = new Map();
  for (const item of items) {
    const name = key(item);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(item);
  }
  return groups;
};
