#include <chat/membership.h>

namespace chat {

std::string_view to_string(Membership membership) {
    switch (membership) {
        case Membership::join:
            return "join";
        case Membership::invite:
            return "invite";
        case Membership::knock:
            return "knock";
        case Membership::leave:
            return "leave";
        case Membership::ban:
            return "ban";
        case Membership::none:
            break;
    }
    return "leave";
}

std::optional<Membership> parse_membership(std::string_view text) {
    for (const auto membership :
         {Membership::join, Membership::invite, Membership::knock, Membership::leave, Membership::ban}) {
        if (text == to_string(membership)) return membership;
    }
    return std::nullopt;
}

}  // namespace chat
