using ArchUnitNET.Loader;
using Mono.Cecil;

namespace Detection.Architecture.Tests;

/// <summary>The projects of <c>src</c>, read from the assemblies in the folder of this test.</summary>
internal static class Product
{
    /// <summary>The project's own folder, in lists of folders.</summary>
    public const string Root = "(project)";

    /// <summary>The names of the folders of <c>src</c> that have a project.</summary>
    public static IReadOnlyList<string> Projects { get; } =
    [
        .. Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories)
            .Select(static file => Path.GetFileName(Path.GetDirectoryName(file)!))
            .Order(StringComparer.Ordinal),
    ];

    public static IReadOnlyList<ModuleDefinition> Modules { get; } = [.. Projects.Select(Read)];

    /// <summary>The uses of types by types, without generated namespaces (Orleans, regular expressions) and the compiler's shared types.</summary>
    public static IReadOnlyList<Use> Uses { get; } =
    [
        .. from module in Modules
           from type in module.Types
           let user = TypeReferences.NameOf(type)
           where !IsGenerated(user) && (user.Namespace.Length == 0 || user.Namespace == "Detection" || user.Namespace.StartsWith("Detection.", StringComparison.Ordinal))
           from used in TypeReferences.Of(type)
           where used != user && !IsGenerated(used)
           select new Use(user, used),
    ];

    /// <summary>The same, read by ArchUnitNET.</summary>
    public static ArchUnitNET.Domain.Architecture Architecture { get; } = Projects
        .Aggregate(new ArchLoader(), static (loader, project) => loader.LoadFilteredDirectory(AppContext.BaseDirectory, Path.GetFileName(PathOf(project))))
        .Build();

    private static ModuleDefinition Read(string project) => File.Exists(PathOf(project))
        ? ModuleDefinition.ReadModule(PathOf(project))
        : throw new InvalidOperationException($"Reference src/{project} in tests/Architecture.Tests. Nothing of it is checked otherwise.");

    private static string PathOf(string project) => Path.Combine(AppContext.BaseDirectory, $"Detection.{project}.dll");

    /// <summary>The folders of a type below its project, from its namespace, with dots; <see cref="Root"/> for the project's own folder.</summary>
    public static string FolderOf(TypeName type)
    {
        var root = type.Namespace == type.Assembly || type.Namespace.StartsWith(type.Assembly + ".", StringComparison.Ordinal) ? type.Assembly : "Detection";
        return type.Namespace.Length <= root.Length ? Root : type.Namespace[(root.Length + 1)..];
    }

    private static bool IsGenerated(TypeName type) => type.Name[0] == '<';
}
