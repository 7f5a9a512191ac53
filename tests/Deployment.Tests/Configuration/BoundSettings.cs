using System.Collections;
using System.Reflection;

namespace Detection.Deployment.Tests.Configuration;

/// <summary>
/// The settings of the programs, found in their code: the properties of every type with a constant <c>Section</c>, and every
/// other constant that is a key (<c>Detection:…</c>).
/// </summary>
internal static class BoundSettings
{
    private const string Root = "Detection";
    private const string SectionName = "Section";

    /// <summary>Types named Options that are not read from configuration.</summary>
    private static readonly Dictionary<string, string> Elsewhere = new()
    {
        ["HeadOptions"] = "the model's manifest",
        ["DetectionOptions"] = "the caller, for each request",
    };

    private static readonly Assembly[] Product =
    [
        typeof(Detection.Frontend.FrontendApplication).Assembly,
        typeof(Detection.Embedded.EmbeddedOptions).Assembly,
        typeof(Detection.Hosting.DetectionSiloExtensions).Assembly,
        typeof(Detection.Grains.Queueing.QueueOptions).Assembly,
        typeof(Detection.Inference.Devices.DeviceOptions).Assembly,
        typeof(Detection.Client.IDetectionClient).Assembly,
        typeof(Detection.Contracts.Requests.IRequestGrain).Assembly,
    ];

    /// <summary>All settings, by key.</summary>
    public static IReadOnlyDictionary<string, Setting> All { get; } = Find();

    /// <summary>The types that are bound to a section.</summary>
    public static IEnumerable<Type> OptionsTypes => Types.Where(type => SectionOf(type) is not null);

    /// <summary>Types named Options without a section.</summary>
    public static IEnumerable<Type> Unbound
    {
        get
        {
            var nested = OptionsTypes.SelectMany(Properties).Select(property => property.PropertyType).ToHashSet();
            return Types.Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal)
                && SectionOf(type) is null && !nested.Contains(type) && !Elsewhere.ContainsKey(type.Name));
        }
    }

    private static IEnumerable<Type> Types => Product.SelectMany(static assembly => assembly.GetTypes()).Where(static type => type.IsClass && !type.ContainsGenericParameters);

    private static Dictionary<string, Setting> Find()
    {
        var bound = OptionsTypes.SelectMany(type => Read(SectionOf(type)!, type, Activator.CreateInstance(type)!));
        var single = Types.SelectMany(Constants)
            .Where(constant => constant.Name != SectionName && Text(constant).StartsWith($"{Root}:", StringComparison.Ordinal))
            .Select(constant => new Setting(Text(constant), typeof(object), null, $"{constant.DeclaringType}.{constant.Name}"));
        return bound.Concat(single).DistinctBy(static setting => setting.Key).ToDictionary(static setting => setting.Key);
    }

    private static IEnumerable<Setting> Read(string section, Type type, object options)
    {
        foreach (var property in Properties(type))
        {
            var key = $"{section}:{property.Name}";
            var value = property.GetValue(options);
            if (IsOwn(property.PropertyType))
            {
                foreach (var setting in Read(key, property.PropertyType, value ?? Create(property.PropertyType)))
                {
                    yield return setting;
                }
            }
            else if (property.PropertyType != typeof(string) && EntryOf(property.PropertyType) is { } entry)
            {
                var (name, content) = entry.IsGenericType && entry.GetGenericTypeDefinition() == typeof(KeyValuePair<,>) ? ("NAME", entry.GetGenericArguments()[1]) : ("0", entry);
                foreach (var setting in IsOwn(content)
                    ? Read($"{key}:{name}", content, Create(content))
                    : [new Setting($"{key}:{name}", content, value, $"{type}.{property.Name}")])
                {
                    yield return setting;
                }
            }
            else
            {
                yield return new Setting(key, property.PropertyType, value, $"{type}.{property.Name}");
            }
        }
    }

    /// <summary>The properties that the binder can set: properties with a setter, and existing lists.</summary>
    private static IEnumerable<PropertyInfo> Properties(Type type) => type
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(static property => property.GetIndexParameters().Length == 0 && property.GetMethod is not null
            && (property.SetMethod is { IsPublic: true }
                || (property.PropertyType != typeof(string) && typeof(IEnumerable).IsAssignableFrom(property.PropertyType))));

    private static object Create(Type type)
    {
        var constructor = type.GetConstructors().OrderBy(static constructor => constructor.GetParameters().Length).First();
        return constructor.Invoke([.. constructor.GetParameters().Select(static parameter =>
            parameter.HasDefaultValue ? parameter.DefaultValue : parameter.ParameterType == typeof(string) ? ""
            : parameter.ParameterType.IsValueType ? Activator.CreateInstance(parameter.ParameterType) : null)]);
    }

    private static Type? EntryOf(Type type) => type.GetInterfaces().Append(type)
        .FirstOrDefault(static candidate => candidate.IsGenericType && candidate.GetGenericTypeDefinition() == typeof(IEnumerable<>))
        ?.GetGenericArguments()[0];

    private static bool IsOwn(Type type) => type.IsClass && type.Namespace?.StartsWith(Root, StringComparison.Ordinal) == true;

    private static string? SectionOf(Type type) =>
        Constants(type).SingleOrDefault(static constant => constant.Name == SectionName) is { } constant
        && (Text(constant) == Root || Text(constant).StartsWith($"{Root}:", StringComparison.Ordinal)) ? Text(constant) : null;

    private static IEnumerable<FieldInfo> Constants(Type type) => type
        .GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.DeclaredOnly)
        .Where(static field => field.IsLiteral && field.FieldType == typeof(string));

    private static string Text(FieldInfo constant) => (string?)constant.GetRawConstantValue() ?? "";
}
