namespace Detection.Architecture.Tests;

/// <summary>
/// The front end's own API and the protocols of other systems are independent of each other; all use the same HTTP folders. A protocol can
/// be added or removed without a change in another.
/// </summary>
public sealed class FrontendTests
{
    [Fact]
    public void Protocols_use_no_other_protocol() => Violations.Compare(
        "protocols",
        "These protocols know each other. What they share belongs to Http:",
        Inside().Where(static use => Way(use.User) is var user && Way(use.Used) is var used && IsProtocol(user) && IsProtocol(used) && user != used));

    [Fact]
    public void Api_uses_no_protocol() => Violations.Compare(
        "api",
        "The API knows a protocol. What they share belongs to Http:",
        Inside().Where(static use => Way(use.User) == "Api" && IsProtocol(Way(use.Used))));

    [Fact]
    public void Http_uses_neither_the_API_nor_protocols() => Violations.Compare(
        "http",
        "Http knows who uses it:",
        Inside().Where(static use => Way(use.User) == "Http" && (Way(use.Used) == "Api" || IsProtocol(Way(use.Used)))));

    [Fact]
    public void Only_drawing_and_the_check_of_sources_use_inference() => Violations.Compare(
        "frontend-and-inference",
        "The front end runs no models. Pictures are drawn in Http/Drawing, Api/Models checks the text of a source, all else comes from the client:",
        Product.Uses.Where(static use => use.User.Project == "Frontend" && use.Used.Project == "Inference" && Product.FolderOf(use.User) != "Http.Drawing"
            && !(Product.FolderOf(use.User) == "Api.Models" && Product.FolderOf(use.Used) == "Pulling")));

    private static IEnumerable<Use> Inside() => Product.Uses.Where(static use => use.User.Project == "Frontend" && use.Used.Project == "Frontend");

    /// <summary><c>Api</c>, <c>Http</c>, or <c>Protocols.</c> and the name of one.</summary>
    private static string Way(TypeName type)
    {
        var folders = Product.FolderOf(type).Split('.');
        return folders is ["Protocols", var protocol, ..] ? $"Protocols.{protocol}" : folders[0];
    }

    private static bool IsProtocol(string way) => way.StartsWith("Protocols.", StringComparison.Ordinal);
}
