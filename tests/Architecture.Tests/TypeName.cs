namespace Detection.Architecture.Tests;

/// <summary>A type that is declared in a namespace. Nested types, also those of the compiler, count as their outer type.</summary>
/// <param name="Assembly">The simple name of the assembly that declares it, for example <c>Detection.Grains</c>.</param>
/// <param name="Namespace">Its namespace; empty for the class of a <c>Program.cs</c>.</param>
/// <param name="Name">Its name, with <c>`1</c> for a generic type.</param>
internal sealed record TypeName(string Assembly, string Namespace, string Name)
{
    public bool IsOurs => Assembly.StartsWith("Detection.", StringComparison.Ordinal);

    /// <summary>The name of the project in <c>src</c>, for example <c>Grains</c>.</summary>
    public string Project => IsOurs ? Assembly["Detection.".Length..] : Assembly;

    public override string ToString() => Namespace.Length == 0 ? $"{Name} of {Assembly}" : $"{Namespace}.{Name}";
}

/// <summary>A use of a type by another. Constants, <c>nameof</c> and comments are not visible in an assembly.</summary>
internal sealed record Use(TypeName User, TypeName Used)
{
    public override string ToString() => $"{User} uses {Used}";
}
