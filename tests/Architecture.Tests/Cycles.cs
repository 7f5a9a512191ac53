namespace Detection.Architecture.Tests;

/// <summary>Finds the nodes of a directed graph that reach each other: Tarjan's strongly connected components (1972) of two nodes and more.</summary>
internal sealed class Cycles
{
    private readonly ILookup<string, string> _next;
    private readonly Dictionary<string, int> _index = [];
    private readonly Dictionary<string, int> _low = [];
    private readonly Stack<string> _path = new();
    private readonly HashSet<string> _onPath = [];
    private readonly Dictionary<string, int> _cycleOf = [];
    private int _cycles;

    private Cycles(IEnumerable<(string From, string To)> edges) => _next = edges.Distinct().ToLookup(static edge => edge.From, static edge => edge.To);

    /// <summary>The edges that are part of a cycle.</summary>
    public static IReadOnlyList<(string From, string To)> EdgesOf(IReadOnlyCollection<(string From, string To)> edges)
    {
        var search = new Cycles(edges);
        foreach (var node in edges.Select(static edge => edge.From).Distinct())
        {
            if (!search._index.ContainsKey(node))
            {
                search.Visit(node);
            }
        }

        return
        [
            .. edges.Distinct().Where(edge =>
                search._cycleOf.TryGetValue(edge.From, out var from) && search._cycleOf.TryGetValue(edge.To, out var to) && from == to),
        ];
    }

    private void Visit(string node)
    {
        _index[node] = _low[node] = _index.Count;
        _path.Push(node);
        _onPath.Add(node);
        foreach (var next in _next[node])
        {
            if (!_index.TryGetValue(next, out var index))
            {
                Visit(next);
                _low[node] = Math.Min(_low[node], _low[next]);
            }
            else if (_onPath.Contains(next))
            {
                _low[node] = Math.Min(_low[node], index);
            }
        }

        if (_low[node] == _index[node])
        {
            Leave(node);
        }
    }

    private void Leave(string root)
    {
        var members = new List<string>();
        string member;
        do
        {
            member = _path.Pop();
            _onPath.Remove(member);
            members.Add(member);
        }
        while (member != root);

        if (members.Count > 1)
        {
            _cycles++;
            members.ForEach(one => _cycleOf[one] = _cycles);
        }
    }
}
