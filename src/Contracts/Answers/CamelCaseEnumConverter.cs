using System.Text.Json;
using System.Text.Json.Serialization;

namespace Detection.Contracts.Answers;

/// <summary>Writes an enum by its name, in the case of all other names.</summary>
public sealed class CamelCaseEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
