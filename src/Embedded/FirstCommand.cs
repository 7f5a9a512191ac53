using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Detection.Embedded;

/// <summary>The first command of a connection to a store, as far as it has arrived (RESP, an array of bulk strings).</summary>
internal static class FirstCommand
{
    /// <summary>Room for the longest password, a user name and a connection name.</summary>
    public const int LongestBytes = 1024;

    private const int MostParts = 8;

    /// <summary>Whether it contains the password: <c>AUTH [user] password</c>, or <c>HELLO 3 AUTH user password …</c>.</summary>
    public static FirstCommandVerdict Judge(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> password)
    {
        var parts = new List<byte[]>(MostParts);
        switch (TryRead(bytes, parts))
        {
            case null when bytes.Length >= LongestBytes:
            case false:
                return FirstCommandVerdict.NoCommand;
            case null:
                return FirstCommandVerdict.Incomplete;
        }

        var given = parts switch
        {
            [var name, .., var last] when Is(name, "AUTH") && parts.Count <= 3 => last,
            [var name, _, var option, _, var last, ..] when Is(name, "HELLO") && Is(option, "AUTH") => last,
            _ => null,
        };
        return given is null ? FirstCommandVerdict.NoPassword
            : CryptographicOperations.FixedTimeEquals(SHA256.HashData(given), SHA256.HashData(password)) ? FirstCommandVerdict.Right
            : FirstCommandVerdict.WrongPassword;
    }

    /// <summary><see langword="null"/> while the command is incomplete, <see langword="false"/> when the bytes are not a command.</summary>
    private static bool? TryRead(ReadOnlySpan<byte> bytes, List<byte[]> parts)
    {
        if (TryReadNumber(ref bytes, (byte)'*', MostParts, out var count) is not true and var none)
        {
            return none;
        }

        for (var i = 0; i < count; i++)
        {
            if (TryReadNumber(ref bytes, (byte)'$', LongestBytes, out var length) is not true and var noPart)
            {
                return noPart;
            }

            if (bytes.Length < length + 2)
            {
                return null;
            }

            if (!bytes[length..].StartsWith("\r\n"u8))
            {
                return false;
            }

            parts.Add(bytes[..length].ToArray());
            bytes = bytes[(length + 2)..];
        }

        return count > 0;
    }

    private static bool? TryReadNumber(ref ReadOnlySpan<byte> bytes, byte mark, int most, out int number)
    {
        const int longest = 8;
        number = 0;
        if (bytes.IsEmpty)
        {
            return null;
        }

        if (bytes[0] != mark)
        {
            return false;
        }

        var end = bytes.IndexOf("\r\n"u8);
        if (end < 0)
        {
            return bytes.Length <= longest ? null : false;
        }

        var isNumber = Utf8Parser.TryParse(bytes[1..end], out number, out var used) && used == end - 1 && number >= 0 && number <= most;
        bytes = bytes[(end + 2)..];
        return isNumber;
    }

    private static bool Is(byte[] part, string name) => Ascii.EqualsIgnoreCase(part, name);
}
