using Detection.Contracts.Messages;

namespace Detection.Client;

/// <summary>What callers are told of models that they cannot have.</summary>
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
            { Current: { } current } => $"The model '{shown}' was replaced and takes no new pictures. The version that is served is '{current.Id}'.",
            _ => $"The model '{shown}' was removed and takes no new pictures.",
        };
    }
}
