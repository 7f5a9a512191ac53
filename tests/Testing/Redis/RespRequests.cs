using System.Globalization;
using System.Text;

namespace Detection.Testing;

/// <summary>Cuts what a client sends to Redis into requests: arrays of bulk strings.</summary>
internal sealed class RespRequests
{
    private readonly List<byte> _rest = [];

    /// <summary>Whether no request has come in part.</summary>
    public bool IsEmpty => _rest.Count == 0;

    /// <summary>A request as it is sent.</summary>
    public static byte[] Write(params IReadOnlyList<string> words)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"*{words.Count}\r\n");
        foreach (var word in words)
        {
            text.Append(CultureInfo.InvariantCulture, $"${Encoding.Latin1.GetByteCount(word)}\r\n{word}\r\n");
        }

        return Encoding.Latin1.GetBytes(text.ToString());
    }

    /// <summary>The requests that are whole with these bytes.</summary>
    public IReadOnlyList<byte[]> Read(ReadOnlyMemory<byte> bytes)
    {
        _rest.AddRange(bytes.Span);
        var whole = _rest.ToArray();
        var requests = new List<byte[]>();
        var start = 0;
        while (End(whole, start) is { } end)
        {
            requests.Add(whole[start..end]);
            start = end;
        }

        _rest.RemoveRange(0, start);
        return requests;
    }

    private static int? End(ReadOnlySpan<byte> bytes, int start)
    {
        var at = start;
        if (Number(bytes, ref at) is not { } words)
        {
            return null;
        }

        for (var i = 0; i < words; i++)
        {
            if (Number(bytes, ref at) is not { } length || at + length + 2 > bytes.Length)
            {
                return null;
            }

            at += length + 2;
        }

        return at;
    }

    /// <summary>The number of a line such as <c>*3</c>.</summary>
    private static int? Number(ReadOnlySpan<byte> bytes, ref int at)
    {
        var line = at < bytes.Length ? bytes[at..].IndexOf("\r\n"u8) : -1;
        if (line < 0)
        {
            return null;
        }

        var number = int.Parse(bytes.Slice(at + 1, line - 1), CultureInfo.InvariantCulture);
        at += line + 2;
        return number;
    }
}
