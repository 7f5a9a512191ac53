namespace Detection.Testing;

/// <summary>Choosing by chance.</summary>
public static class RandomChoice
{
    /// <summary>One of them.</summary>
    public static T Of<T>(this Random random, IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];

    /// <summary>Once in so many times.</summary>
    public static bool OneIn(this Random random, int times) => random.Next(times) == 0;
}
