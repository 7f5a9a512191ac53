using Mono.Cecil;

namespace Detection.Architecture.Tests;

/// <summary>
/// A log message is identified by the id and the name of its event, not by its text. An id is unique among the messages of a class, which is
/// the log category in most places.
/// </summary>
public sealed class LogMessageTests
{
    private static readonly IReadOnlyList<(string Method, string Class, int? Id, string Name)> Messages =
    [
        .. from module in Product.Modules
           from type in module.GetTypes()
           from method in type.Methods
           from attribute in method.CustomAttributes
           where attribute.AttributeType.FullName == "Microsoft.Extensions.Logging.LoggerMessageAttribute"
           select ($"{type.FullName}.{method.Name}", TypeReferences.NameOf(type).ToString(), IdOf(attribute), NameOf(attribute, method)),
    ];

    [Fact]
    public void Every_message_has_an_id() => Violations.Compare(
        "log-messages-without-id",
        "These log messages have no event id. Give each the next free one of its class:",
        Messages.Where(static message => message.Id is null).Select(static message => (message.Method, message.Method)));

    [Fact]
    public void Ids_and_names_are_unique_in_a_class()
    {
        Assert.True(Messages.Count > 50, $"Only {Messages.Count} log messages were found.");
        Violations.Compare(
            "log-messages-with-same-id",
            "These log messages share an id or a name with another of their class:",
            Twice(static message => message.Id?.ToString(System.Globalization.CultureInfo.InvariantCulture)).Concat(Twice(static message => message.Name)));
    }

    private static IEnumerable<(string Violation, string Details)> Twice(Func<(string Method, string Class, int? Id, string Name), string?> of) =>
        from message in Messages
        let value = of(message)
        where value is not null
        group message.Method by (message.Class, Value: value) into same
        where same.Count() > 1
        select ($"{same.Key.Class}: {same.Key.Value}", string.Join(", ", same));

    private static int? IdOf(CustomAttribute attribute)
    {
        var arguments = attribute.Properties.Where(static property => property.Name == "EventId").Select(static property => property.Argument)
            .Concat(attribute.ConstructorArguments.Where(static argument => argument.Type.FullName == "System.Int32"));
        return arguments.Select(static argument => (int?)(int)argument.Value).FirstOrDefault();
    }

    private static string NameOf(CustomAttribute attribute, MethodDefinition method) =>
        attribute.Properties.Where(static property => property.Name == "EventName").Select(static property => (string)property.Argument.Value).FirstOrDefault() ?? method.Name;
}
