using Detection.Contracts.Messages;

namespace Detection.Client;

/// <summary>Messages to callers about models that cannot be used.</summary>
internal static class ModelMessages
{
    /// <summary>Why a request for a model is not accepted.</summary>
    public static string NotServed(string name, ModelCatalog.Finding found)
    {
        var shown = CallerText.Show(name);
        if (found.Problem is not null)
        {
            return $"No model '{shown}' is served: {found.Problem}";
        }

        return found switch
        {
            { Entry: null } => $"No model '{shown}' is served.",
            { Current: { } current } => $"Model '{shown}' was replaced by '{current.Id}' and accepts no new pictures.",
            _ => $"Model '{shown}' was removed and accepts no new pictures.",
        };
    }
}
