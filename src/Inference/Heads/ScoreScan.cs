using System.Numerics;
using System.Runtime.InteropServices;

namespace Detection.Inference.Heads;

/// <summary>Finds the few scores that reach a floor among many.</summary>
internal static class ScoreScan
{
    /// <summary>
    /// Index of the first value at or after <paramref name="from"/> that is at least <paramref name="floor"/>; −1 when there is
    /// none. NaN is never found.
    /// </summary>
    public static int Next(ReadOnlySpan<float> values, int from, float floor)
    {
        ref var first = ref MemoryMarshal.GetReference(values);
        var limit = new Vector<float>(floor);
        var i = from;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            if (Vector.GreaterThanOrEqualAny(Vector.LoadUnsafe(ref first, (nuint)i), limit))
            {
                break;
            }
        }

        for (; i < values.Length; i++)
        {
            if (values[i] >= floor)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Index of the highest value; −1 when there is none above negative infinity.</summary>
    public static int Best(ReadOnlySpan<float> values)
    {
        var best = -1;
        var highest = float.NegativeInfinity;
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] > highest)
            {
                highest = values[i];
                best = i;
            }
        }

        return best;
    }
}
