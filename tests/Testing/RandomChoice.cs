namespace Detection.Testing;

/// <summary>Random choices.</summary>
public static class RandomChoice
{
    /// <summary>One of the values.</summary>
    public static T Of<T>(this Random random, IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];

    /// <summary>True once in this many times on average.</summary>
    public static bool OneIn(this Random random, int times) => random.Next(times) == 0;
}
