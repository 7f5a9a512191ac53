using System.Text;

namespace Detection.Fuzz;

/// <summary>How the sender of a request behaves after the last byte.</summary>
internal enum Ending
{
    /// <summary>It waits for the answer.</summary>
    Waits,

    /// <summary>It says that nothing more will come (FIN), and waits for the answer.</summary>
    HalfCloses,

    /// <summary>It is gone (RST).</summary>
    Leaves,
}

/// <summary>One request, byte for byte.</summary>
/// <param name="Kind">What is odd about it, for people.</param>
/// <param name="Bytes">What goes over the wire.</param>
internal sealed record FuzzRequest(string Kind, byte[] Bytes)
{
    /// <summary>How its sender ends.</summary>
    public Ending Ending { get; init; } = Ending.Waits;

    /// <summary>Whether it may not be HTTP, so that it may be answered by the server itself, or not at all.</summary>
    public bool MayBreakHttp { get; init; }

    /// <summary>The method, as far as there is one.</summary>
    public string Method => FirstLine().Split(' ')[0];

    /// <summary>The path without its query, as far as there is one.</summary>
    public string Path => FirstLine().Split(' ') is [_, var target, ..] ? target.Split('?')[0] : "";

    private string FirstLine()
    {
        var end = Bytes.AsSpan().IndexOfAny((byte)'\r', (byte)'\n');
        return Encoding.Latin1.GetString(Bytes.AsSpan(0, end < 0 ? Bytes.Length : end));
    }
}
